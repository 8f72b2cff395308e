import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { parseDuration } from "../../../../../src/api/duration.ts";
import { ipAddressPoolSchema } from "../../../../../src/api/ip-address-pool.ts";
import { formatRange, type IpRange, rangeContains, subtractRanges } from "../../../../../src/ip/range.ts";
import { reasonMessage } from "../../../../../src/model/reason.ts";
import { countVisits } from "../../../count-visits.ts";
import { networks, rejectCase, rejectedPoolCases } from "./rejected-pool-cases.ts";

function pool(name: string, addresses: readonly string[], second = 0, more: Record<string, unknown> = {}) {
  const creationTimestamp = `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;
  const spec = { addresses, ...more };
  return ipAddressPoolSchema.parse({ metadata: { name, creationTimestamp }, spec });
}

describe("a pool with one mistake is rejected as a whole, and the message names object, field, value and cure", () => {
  for (const data of rejectedPoolCases) {
    test(data.name, () => {
      const { reason, usable } = rejectCase(data);
      const { code, field, value, names = [] } = data.refuses;
      const object = `IPAddressPool ${data.pools.at(-1)?.name}`;
      assert.deepEqual([reason?.code, reason?.object, reason?.field, reason?.value], [code, object, field, value]);
      const others = data.pools.slice(0, -1).map(({ name }) => name);
      assert.deepEqual(usable, others, "the older ones go on");
      if (reason === undefined) return;
      for (const name of names)
        assert.ok(reasonMessage(reason).includes(name), `${reasonMessage(reason)} names ${name}`);
    });
  }
});

test("a pool may overlap pod CIDRs that no pod uses", () => {
  const { usable, rejected } = choosePools(
    [pool("lan", ["10.244.1.240-10.244.1.250"], 0, { allowOverlap: ["PodCIDR"] })],
    networks,
  );
  assert.deepEqual([...rejected], []);
  assert.deepEqual(
    usable.map(({ name }) => name),
    ["lan"],
  );
});

test("of pools that overlap the oldest is usable, in any order of arrival", () => {
  const old = pool("old", ["192.0.2.0/25"], 1);
  const young = pool("young", ["192.0.2.100-192.0.2.200"], 2);
  const apart = pool("apart", ["198.51.100.0/24"], 3);
  for (const pools of [
    [old, young, apart],
    [apart, young, old],
  ]) {
    const { usable, rejected } = choosePools(pools);
    assert.deepEqual(
      usable.map(({ name }) => name),
      ["apart", "old"],
    );
    assert.equal(rejected.get("young")?.code, "PoolOverlaps");
  }
});

test("pools are tried by priority, then those kept for some Services, then by name", () => {
  const { usable } = choosePools([
    pool("c", ["192.0.2.3"]),
    pool("b", ["192.0.2.2"], 0, { serviceAllocation: { namespaces: ["shop"] } }),
    pool("a", ["192.0.2.1"]),
    pool("late", ["192.0.2.4"], 0, { serviceAllocation: { priority: 0 } }),
    pool("second", ["192.0.2.5"], 0, { serviceAllocation: { priority: 20 } }),
    pool("first", ["192.0.2.6"], 0, { serviceAllocation: { priority: 10 } }),
  ]);
  assert.deepEqual(
    usable.map(({ name }) => name),
    ["first", "second", "b", "a", "c", "late"],
  );
});

test("what a pool excludes is not in it, and another pool may have it", () => {
  const { usable, rejected } = choosePools([
    pool("lan", ["192.0.2.0/24", "2001:db8::/126"], 1, {
      exclude: ["192.0.2.10-192.0.2.20", "192.0.2.0", "2001:db8::3"],
    }),
    pool("rest", ["192.0.2.10-192.0.2.20"], 2),
  ]);
  assert.deepEqual([...rejected], []);
  const texts = usable.find(({ name }) => name === "lan")?.ranges.map(formatRange);
  assert.deepEqual(texts, ["192.0.2.1-192.0.2.9", "192.0.2.21-192.0.2.255", "2001:db8::-2001:db8::2"]);
});

test("ranges minus exclusions hold exactly the addresses of a naive model", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
    .map(([a, b]): IpRange => ({ family: "IPv4", first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }));
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 6 }), (whole, excluded) => {
      const left = subtractRanges(whole, excluded);
      for (let value = 0n; value <= 41n; value++) {
        const address = { family: "IPv4", value } as const;
        const expected = rangeContains(whole, address) && !excluded.some((other) => rangeContains(other, address));
        assert.equal(left.filter((part) => rangeContains(part, address)).length, expected ? 1 : 0);
      }
    }),
  );
});

test("lengths of time", () => {
  const cases = { "10m": 600_000, "1h30m": 5_400_000, "1.5s": 1_500, "20ms": 20, "0s": 0 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms);
  for (const text of ["", "10", "-1m", "1d", "m", "1h m", "1h\n"]) assert.equal(parseDuration(text), undefined);
});

describe("a pool within a network of the cluster", () => {
  test("disturbs no younger pool", () => {
    const bad = pool("bad", ["192.0.2.0/25", "10.96.5.0/24"], 1);
    const { usable } = choosePools([bad, pool("young", ["192.0.2.0/24"], 2)], networks);
    assert.deepEqual(
      usable.map(({ name }) => name),
      ["young"],
    );
  });

  test("serves where it excludes the common addresses", () => {
    const { usable } = choosePools(
      [pool("big", ["10.0.0.0/8"], 1, { exclude: ["10.96.0.0/16", "10.244.0.0/16"] })],
      networks,
    );
    assert.equal(usable.length, 1);
  });
});

test("reading many pools again costs as much for each as reading few", async () => {
  const poolsOf = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      pool(`p${index}`, [`10.${index >> 8}.${index & 255}.0/24`], index % 60),
    );
  const visitsPerPool = async (count: number): Promise<number> => {
    const pools = poolsOf(count);
    choosePools(pools);
    return (await countVisits(async () => assert.equal(choosePools(pools).usable.length, count))) / count;
  };
  const [few, many] = [await visitsPerPool(50), await visitsPerPool(5_000)];
  assert.ok(many < few + 5, `${few} entries were looked at per pool among 50, ${many} among 5,000`);
});

test("of many pools those that overlap an older one are rejected, as a comparison of each with each other one says", () => {
  const range = fc.record({ first: fc.integer({ min: 0, max: 200 }), length: fc.integer({ min: 0, max: 20 }) });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
      const texts = ranges.map(({ first, length }) => `192.0.2.${first}-192.0.2.${first + length}`);
      const pools = texts.map((text, index) => pool(`p${String(index).padStart(2, "0")}`, [text], index));
      const serving: typeof ranges = [];
      for (const one of ranges) {
        const overlaps = serving.some(
          ({ first, length }) => one.first <= first + length && first <= one.first + one.length,
        );
        if (!overlaps) serving.push(one);
      }
      const { usable, rejected } = choosePools(pools);
      assert.deepEqual(
        usable.map(({ name }) => name),
        serving.map((one) => `p${String(ranges.indexOf(one)).padStart(2, "0")}`),
      );
      assert.equal(rejected.size, ranges.length - serving.length);
    }),
  );
});
