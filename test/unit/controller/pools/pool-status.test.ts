import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PoolFacts, poolFactsOf } from "../../../../controller/pools/pool-facts.ts";
import { planPoolStatus } from "../../../../controller/pools/pool-status.ts";
import type { Condition } from "../../../../src/api/api.ts";
import { allocationsOf, type ClusterData, type PoolData, poolOf } from "../allocate/cases/allocation-case.ts";

const now = "2026-01-01T00:00:00Z";

/** One row: the status of the first pool of the case. */
interface Case extends ClusterData {
  readonly name: string;
  /** Assigned and available IPv4, assigned and available IPv6. */
  readonly counts: readonly [string, string, string, string];
  /** `TYPE STATUS REASON`. */
  readonly conditions: readonly string[];
  /** What a condition names. */
  readonly names?: readonly string[];
}

const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12", "2001:db8::/64"] };
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const edge = { name: "edge", spec: { nodeAddresses: {} } };
const n1 = { name: "n1", addresses: ["203.0.113.1", "2001:db8::1"] };
const inUse = "Ready True InUse";
const all6 = "18446744073709551616";

const cases: readonly Case[] = [
  { name: "an unused pool", pools: [lan], counts: ["0", "3", "0", all6], conditions: [inUse] },
  {
    name: "an address that a Service has",
    pools: [lan],
    claims: [mine],
    counts: ["1", "2", "0", all6],
    conditions: [inUse],
  },
  {
    name: "an address that two Services share counts once",
    pools: [lan],
    claims: [{ ...mine, services: ["web", "api"] }],
    counts: ["1", "2", "0", all6],
    conditions: [inUse],
  },
  {
    name: "held addresses and reservations for no Service are neither assigned nor available",
    pools: [lan],
    claims: [
      { ...mine, held: true },
      { address: "192.0.2.11", reservation: true },
    ],
    counts: ["0", "1", "0", all6],
    conditions: [inUse],
  },
  {
    name: "excluded addresses do not count",
    pools: [{ ...lan, spec: { exclude: ["192.0.2.10", "2001:db8::1"] } }],
    counts: ["0", "2", "0", "18446744073709551615"],
    conditions: [inUse],
  },
  {
    name: "with avoidBuggyIPs those that end in .0 and .255 do not count",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    counts: ["0", "254", "0", "0"],
    conditions: [inUse],
  },
  {
    name: "addresses that something else uses are left out and named",
    pools: [lan],
    blocked: { "the address of Node n1": ["192.0.2.11"], "in spec.externalIPs of Service a/b": ["192.0.2.99"] },
    counts: ["0", "2", "0", all6],
    conditions: [inUse, "AddressesBlocked True UsedElsewhere"],
    names: ["192.0.2.11", "Node n1"],
  },
  {
    name: "a draining pool has nothing available",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    claims: [mine],
    counts: ["1", "0", "0", "0"],
    conditions: ["Ready True Draining"],
  },
  {
    name: "a rejected pool counts nothing, and what Services keep from it is named",
    pools: [{ name: "lan", addresses: ["192.0.2.1/24"] }],
    claims: [mine],
    counts: ["0", "0", "0", "0"],
    conditions: ["Ready False PoolRangeInvalid", "Stalled True PoolRangeInvalid", "AllInPool False AddressOutsidePool"],
    names: ["192.0.2.10"],
  },
  {
    name: "an address that the pool no longer contains is named",
    pools: [{ name: "lan", addresses: ["192.0.2.11"] }],
    claims: [mine],
    counts: ["0", "1", "0", "0"],
    conditions: [inUse, "AllInPool False AddressOutsidePool"],
    names: ["192.0.2.10"],
  },
  {
    name: "one that another pool contains now is not",
    pools: [
      { name: "lan", addresses: ["192.0.2.11"] },
      { name: "new", addresses: ["192.0.2.10"] },
    ],
    claims: [mine],
    counts: ["0", "1", "0", "0"],
    conditions: [inUse],
  },
  {
    name: "addresses of nodes are all available, whichever Services have them",
    pools: [edge],
    nodes: [n1],
    claims: [{ address: "203.0.113.1", pool: "edge", node: "n1", services: ["web"] }],
    counts: ["1", "1", "0", "1"],
    conditions: [inUse],
  },
  {
    name: "a pool of node addresses without a node",
    pools: [edge],
    counts: ["0", "0", "0", "0"],
    conditions: ["Ready True NoNodeAddress"],
  },
];

function factsOf(data: ClusterData): PoolFacts {
  const pools = new Map((data.pools ?? []).map((pool, index) => [pool.name, poolOf(pool, index)]));
  const source = { views: pools } as unknown as Parameters<typeof poolFactsOf>[1];
  return poolFactsOf(data.pools?.[0]?.name ?? "", source, allocationsOf(data));
}

function poolObject(status?: Record<string, unknown>) {
  const metadata = { name: "lan", uid: "lan-uid", resourceVersion: "1", generation: 3 };
  return { metadata, status } as Parameters<typeof planPoolStatus>[0];
}

/** The generic rule of kstatus for custom resources (sigs.k8s.io/cli-utils, pkg/kstatus/status/generic.go and core.go). */
function kstatusOf(conditions: readonly Condition[]): string {
  const statusOf = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  if (statusOf("Reconciling") === "True") return "InProgress";
  if (statusOf("Stalled") === "True") return "Failed";
  const ready = statusOf("Ready");
  return ready === undefined || ready === "True" ? "Current" : "InProgress";
}

describe("the status of a pool", () => {
  for (const data of cases) {
    test(data.name, () => {
      const facts = factsOf(data);
      const { conditions = [], ...counts } = planPoolStatus(poolObject(), facts, now) ?? {};
      const [assignedIPv4, availableIPv4, assignedIPv6, availableIPv6] = data.counts;
      assert.deepEqual(counts, { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 });
      assert.deepEqual(
        conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
        data.conditions,
      );
      const messages = conditions.map(({ message }) => message).join(" ");
      for (const name of data.names ?? []) assert.ok(messages.includes(name), `${messages} names ${name}`);
      const again = planPoolStatus(poolObject({ ...counts, conditions }), facts, "2026-01-02T00:00:00Z");
      assert.equal(again, undefined, "a status that is right is not written again");
    });
  }

  const atRest: readonly (readonly [string, PoolData, string])[] = [
    ["a pool in use", lan, "Current"],
    ["a draining pool", { ...lan, spec: { state: "Draining" } }, "Current"],
    ["a pool of nodes that has none", edge, "Current"],
    ["a pool of which everything is excluded", { ...lan, spec: { exclude: lan.addresses } }, "Failed"],
    ["a pool that is rejected", { name: "lan", addresses: ["127.0.0.1"] }, "Failed"],
  ];
  for (const [name, pool, expected] of atRest) {
    test(`kstatus, Flux and Argo CD: ${name} is ${expected}`, () => {
      const { conditions = [] } = planPoolStatus(poolObject(), factsOf({ pools: [pool] }), now) ?? {};
      assert.equal(kstatusOf(conditions), expected);
    });
  }

  test("a pool that was rejected is Current once it is mended", () => {
    const rejected = factsOf({ pools: [{ name: "lan", addresses: ["127.0.0.1"] }] });
    const before = planPoolStatus(poolObject(), rejected, now);
    const after = planPoolStatus(poolObject({ ...before }), factsOf({ pools: [lan] }), now);
    assert.equal(kstatusOf(after?.conditions ?? []), "Current");
  });

  test("a condition that lists addresses stays when the last one is gone, with the other status", () => {
    const before = planPoolStatus(
      poolObject(),
      factsOf({ pools: [{ name: "lan", addresses: ["192.0.2.11"] }], claims: [mine] }),
      now,
    );
    const after = planPoolStatus(poolObject({ ...before }), factsOf({ pools: [lan], claims: [mine] }), now);
    const texts = after?.conditions?.map(({ type, status, reason }: Condition) => `${type} ${status} ${reason}`);
    assert.deepEqual(texts, [inUse, "AllInPool True AllInside"]);
  });

  test("of many Services that use one address three are named, and how many more there are", () => {
    const pool = { name: "lan", addresses: ["192.0.2.10"] };
    const sources = Array.from({ length: 2_000 }, (_, index) => `in spec.externalIPs of Service shop/s${index}`);
    const blocked = Object.fromEntries(sources.map((source) => [source, ["192.0.2.10"]]));
    const facts = poolFactsOf(
      "lan",
      { views: new Map([["lan", poolOf(pool)]]) },
      allocationsOf({ pools: [pool], blocked }),
    );
    const conditions = planPoolStatus(poolOf(pool), facts, now)?.conditions ?? [];
    const message = conditions.find(({ type }) => type === "AddressesBlocked")?.message ?? "";
    assert.match(message, /shop\/s0, .* and 1997 more/);
    assert.ok(message.length < 1_000, `${message.length} characters`);
  });

  test("of many addresses the first ten are named, and how many more there are", () => {
    const claims = Array.from({ length: 12 }, (_, index) => ({ ...mine, address: `192.0.2.${100 + index}` }));
    const facts = factsOf({ pools: [{ name: "lan", addresses: ["192.0.2.11"] }], claims });
    const message = planPoolStatus(poolObject(), facts, now)?.conditions?.[1]?.message ?? "";
    assert.ok(message.includes("192.0.2.109 and 2 more") && !message.includes("192.0.2.110"), message);
  });
});
