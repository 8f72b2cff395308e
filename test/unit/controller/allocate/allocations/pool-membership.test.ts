import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { poolMembershipOf } from "../../../../../controller/allocate/allocations/pool-membership.ts";
import { reasonMessage } from "../../../../../src/model/reason.ts";
import { allocationsOf, claimOf } from "../cases/allocation-case.ts";
import { membershipCases } from "./pool-membership-cases.ts";

describe("which pool has the address of a claim", () => {
  for (const { claim, pool: expected, refuses, ...data } of membershipCases) {
    test(data.name, () => {
      const { pool, reason } = poolMembershipOf(allocationsOf({ ...data, claims: [claim] }), claimOf(claim));
      assert.equal(pool, expected);
      assert.deepEqual([reason?.code, reason?.field, reason?.value], [refuses?.code, refuses?.field, refuses?.value]);
      for (const name of refuses?.names ?? []) assert.ok(reason !== undefined && reasonMessage(reason).includes(name));
    });
  }
});
