import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { opText, planCase, planCases } from "./plan-service-cases.ts";

describe("planService", () => {
  for (const data of planCases) {
    test(data.name, () => {
      const { ops, again } = planCase(data);
      assert.deepEqual(ops.map(opText), data.ops);
      assert.equal(again, data.again === true);
    });
  }
});
