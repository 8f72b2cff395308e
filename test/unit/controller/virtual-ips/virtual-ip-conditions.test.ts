import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { poolMembershipOf } from "../../../../controller/allocate/allocations/pool-membership.ts";
import {
  correctedPoolOf,
  desiredConditions,
  poolMembershipDiffers,
  withDesiredConditions,
} from "../../../../controller/virtual-ips/virtual-ip-conditions.ts";
import { virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { reasonOf } from "../../../../src/model/reason.ts";
import { allocationsOf, claimOf, type PoolData } from "../allocate/cases/allocation-case.ts";

const now = "2026-01-01T00:00:00Z";
const earlier = "2025-01-01T00:00:00Z";
const invalid = reasonOf("VirtualIpInvalid", { object: "VirtualIP wrong", field: "spec.address", value: "192.0.2.10" });

/** One row: a VirtualIP 192.0.2.10 that a Service has, from pool lan, and its conditions afterwards: `TYPE STATUS REASON`. */
interface Case {
  readonly name: string;
  /** Undefined: pool lan contains the address. */
  readonly pools?: readonly PoolData[];
  readonly reservation?: true;
  /** Undefined: owners are not assigned. */
  readonly owners?: readonly string[];
  readonly invalid?: true;
  readonly unused?: true;
  readonly before?: readonly string[];
  /** Undefined: nothing is written. */
  readonly after?: readonly string[];
}

const gone: readonly PoolData[] = [];

const cases: readonly Case[] = [
  { name: "with owners and in its pool it needs no condition", owners: ["n1"] },
  { name: "without a node that may announce it", owners: [], after: ["Announceable False NoAnnouncer"] },
  {
    name: "the condition stays, and becomes True with the first owner",
    owners: ["n1"],
    before: ["Announceable False NoAnnouncer"],
    after: ["Announceable True HasOwners"],
  },
  {
    name: "it is not touched while owners are not assigned",
    before: ["Announceable False NoAnnouncer"],
  },
  { name: "an invalid claim is not announceable", invalid: true, after: ["Announceable False VirtualIpInvalid"] },
  { name: "outside its pool", owners: ["n1"], pools: gone, after: ["InPool False AddressOutsidePool"] },
  {
    name: "back in a pool",
    owners: ["n1"],
    before: ["InPool False AddressOutsidePool"],
    after: ["InPool True InPool"],
  },
  { name: "a reservation may be outside every pool", owners: ["n1"], pools: gone, reservation: true },
  { name: "so may an address that no Service has", owners: ["n1"], pools: gone, unused: true },
  {
    name: "both",
    owners: [],
    pools: gone,
    after: ["Announceable False NoAnnouncer", "InPool False AddressOutsidePool"],
  },
  {
    name: "conditions of speakers stay",
    owners: [],
    before: ["Conflict True ForeignMac"],
    after: ["Conflict True ForeignMac", "Announceable False NoAnnouncer"],
  },
];

function virtualIp({ before = [], reservation }: Case, pool = "lan") {
  const labels = reservation ? {} : { "app.kubernetes.io/managed-by": "bellhop-controller" };
  const conditions = before.map((text) => {
    const [type, status, reason] = text.split(" ");
    return { type, status, reason, message: "", lastTransitionTime: earlier };
  });
  return virtualIpSchema.parse({
    metadata: { name: "192.0.2.10", labels },
    spec: { address: "192.0.2.10", pool },
    status: { conditions },
  });
}

function membershipIn(data: Case, pool = "lan") {
  const pools = data.pools ?? [{ name: "lan", addresses: ["192.0.2.10"] }];
  const mine = { address: "192.0.2.10", pool, services: ["web"] };
  const claim = data.reservation ? { ...mine, reservation: true as const } : mine;
  return poolMembershipOf(allocationsOf({ pools, claims: [claim] }), claimOf(claim));
}

describe("the controller's conditions on a VirtualIP", () => {
  for (const data of cases) {
    test(data.name, () => {
      const object = virtualIp(data);
      const assignment =
        data.owners === undefined ? undefined : { owners: data.owners, interfaces: [], ownerInterfaces: [] };
      const membership = data.unused ? undefined : membershipIn(data);
      const desired = desiredConditions(object, assignment, data.invalid ? invalid : undefined, membership);
      const after = withDesiredConditions(object.status?.conditions ?? [], desired, now);
      const texts = after?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
      assert.deepEqual(texts, data.after);
      if (after !== undefined) assert.equal(withDesiredConditions(after, desired, now), undefined, "written once");
    });
  }
});

describe("the pool that a VirtualIP names", () => {
  const inNew: Case = { name: "", pools: [{ name: "new", addresses: ["192.0.2.10"] }] };

  test("is corrected where another pool contains the address", () => {
    assert.equal(correctedPoolOf(virtualIp(inNew), membershipIn(inNew)), "new");
    assert.equal(poolMembershipDiffers(virtualIp(inNew), membershipIn(inNew)), true);
    assert.equal(correctedPoolOf(virtualIp(inNew, "new"), membershipIn(inNew, "new")), undefined);
    assert.equal(poolMembershipDiffers(virtualIp(inNew, "new"), membershipIn(inNew, "new")), false);
  });

  test("stays where no pool contains it, and in a reservation", () => {
    const outside: Case = { name: "", pools: [] };
    assert.equal(correctedPoolOf(virtualIp(outside), membershipIn(outside)), undefined);
    const reserved: Case = { ...inNew, reservation: true };
    assert.equal(correctedPoolOf(virtualIp(reserved), membershipIn(reserved)), undefined);
  });
});
