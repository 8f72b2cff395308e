import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { balance } from "../../../../controller/owners/balance.ts";
import type { OwnedAddress } from "../../../../controller/owners/owned-address.ts";
import { OwnerCounts } from "../../../../controller/owners/owner-counts.ts";
import { maxOwners } from "../../../../controller/owners/owner-list.ts";
import { defaultPeers, ownersForNew, planOwners as planSteps } from "../../../../controller/owners/owners.ts";
import { runAtOnce } from "../../../../src/clock/turn.ts";

const nodes = ["n1", "n2", "n3", "n4", "n5"];

function planOwners(
  addresses: readonly OwnedAddress[],
  { even }: { readonly even: boolean },
): ReadonlyMap<string, readonly string[]> {
  return runAtOnce(planSteps(addresses, { even, peers: defaultPeers }));
}

function address(
  index: number,
  current: readonly string[],
  candidates: readonly string[],
  local?: readonly string[],
): OwnedAddress {
  const name = `192.0.2.${index}`;
  return { name, current, candidates, local: local === undefined ? undefined : new Set(local) };
}

function firstOwners(plan: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [first] of plan.values()) if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  return counts;
}

function spread(plan: ReadonlyMap<string, readonly string[]>, among: readonly string[]): number {
  const counts = firstOwners(plan);
  const loads = among.map((node) => counts.get(node) ?? 0);
  return Math.max(...loads) - Math.min(...loads);
}

/** Addresses with any present owners, and some of the nodes as candidates of all. */
const uniform = fc
  .record({
    candidates: fc.subarray(nodes, { minLength: 1 }),
    current: fc.array(fc.subarray(nodes, { maxLength: 3 }), { minLength: 1, maxLength: 40 }),
  })
  .map(({ candidates, current }) => current.map((owners, index) => address(index, owners, candidates)));

/** Each address with candidates and local nodes of its own. */
const mixed = fc
  .array(
    fc.record({
      current: fc.subarray(nodes, { maxLength: 3 }),
      candidates: fc.subarray(nodes),
      local: fc.option(fc.subarray(nodes), { nil: undefined }),
    }),
    { maxLength: 40 },
  )
  .map((all) => all.map(({ current, candidates, local }, index) => address(index, current, candidates, local)));

describe("properties of owner lists", () => {
  test("even: counts differ by at most one where all may announce all", () => {
    fc.assert(
      fc.property(uniform, (addresses) => {
        const plan = planOwners(addresses, { even: true });
        assert.ok(spread(plan, addresses[0]?.candidates ?? []) <= 1);
      }),
    );
  });

  test("a plan carried out is planned again as it is", () => {
    fc.assert(
      fc.property(mixed, fc.boolean(), (addresses, even) => {
        const plan = planOwners(addresses, { even });
        const settled = addresses.map((entry) => ({ ...entry, current: plan.get(entry.name) ?? [] }));
        assert.deepEqual(planOwners(settled, { even }), plan);
      }),
    );
  });

  test("sticky: without a rebalance, a first owner that still may announce stays, else the next in the list follows", () => {
    fc.assert(
      fc.property(mixed, (addresses) => {
        const plan = planOwners(addresses, { even: false });
        for (const { name, current, candidates, local } of addresses) {
          const near = candidates.filter((node) => local?.has(node) ?? true);
          const choices = near.length > 0 ? near : candidates;
          const successor = current.find((node) => choices.includes(node));
          if (successor !== undefined) assert.equal(plan.get(name)?.[0], successor);
        }
      }),
    );
  });

  test("the order in which addresses come does not matter", () => {
    fc.assert(
      fc.property(mixed, fc.boolean(), (addresses, even) => {
        const forward = [...planOwners(addresses, { even })].sort();
        assert.deepEqual([...planOwners([...addresses].reverse(), { even })].sort(), forward);
      }),
    );
  });

  test("lists hold only candidates, each once, at most three, and as many as there are", () => {
    fc.assert(
      fc.property(mixed, fc.boolean(), (addresses, even) => {
        const plan = planOwners(addresses, { even });
        for (const { name, candidates, local } of addresses) {
          const owners = plan.get(name) ?? [];
          assert.equal(owners.length, Math.min(maxOwners, candidates.length));
          assert.equal(new Set(owners).size, owners.length);
          assert.ok(owners.every((node) => candidates.includes(node)));
          if (local === undefined) continue;
          const flags = owners.map((node) => local.has(node));
          assert.deepEqual(
            flags,
            [...flags].sort((a, b) => Number(b) - Number(a)),
            "nodes with endpoints come first",
          );
        }
      }),
    );
  });

  test("a node that leaves moves only its own addresses", () => {
    fc.assert(
      fc.property(uniform, fc.constantFrom(...nodes), (addresses, leaving) => {
        const before = planOwners(addresses, { even: true });
        const after = planOwners(
          addresses.map((entry) => ({
            ...entry,
            current: before.get(entry.name) ?? [],
            candidates: entry.candidates.filter((node) => node !== leaving),
          })),
          { even: false },
        );
        for (const [name, owners] of after) {
          const first = before.get(name)?.[0];
          if (first !== leaving) assert.equal(owners[0], first);
        }
      }),
    );
  });

  test("a node that comes gets its share by the fewest moves", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }), (count, old) => {
        const before = nodes.slice(0, old);
        const after = nodes.slice(0, old + 1);
        const all = Array.from({ length: count }, (_, index) => address(index, [], before));
        const settled = planOwners(all, { even: true });
        const grown = planOwners(
          all.map((entry) => ({ ...entry, candidates: after, current: settled.get(entry.name) ?? [] })),
          { even: true },
        );
        const moved = [...grown].filter(([name, owners]) => owners[0] !== settled.get(name)?.[0]).length;
        assert.ok(spread(grown, after) <= 1);
        assert.equal(moved, Math.floor(count / after.length));
      }),
    );
  });

  test("a fixed node keeps the addresses that it has, and becomes first owner of no other while there is another node", () => {
    fc.assert(
      fc.property(mixed, fc.subarray(nodes), fc.boolean(), (addresses, names, even) => {
        const fixed = new Set(names);
        const free = planOwners(addresses, { even: false });
        const plan = runAtOnce(planSteps(addresses, { even, peers: defaultPeers, fixed }));
        for (const { name, current, candidates, local } of addresses) {
          const [first] = plan.get(name) ?? [];
          const [before] = free.get(name) ?? [];
          if (before !== undefined && fixed.has(before) && current.includes(before)) assert.equal(first, before);
          if (first === undefined || !fixed.has(first) || current.includes(first)) continue;
          const near = candidates.filter((node) => local?.has(node) ?? true);
          const choices = near.length > 0 ? near : candidates;
          assert.ok(
            choices.every((node) => fixed.has(node)),
            `${first} is fixed, and there are ${choices}`,
          );
        }
      }),
    );
  });

  test("new addresses one by one stay even", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (count) => {
        const owners = new OwnerCounts();
        for (let index = 0; index < count; index++) {
          owners.add(ownersForNew(address(index, [], nodes), owners, { peers: defaultPeers }));
        }
        const counts = nodes.map((node) => owners.firstOf(node));
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      }),
    );
  });
});

test("a rebalance with unlike candidates reaches the best that a full search finds", () => {
  const few = ["n1", "n2", "n3"];
  const movableItems = fc
    .array(fc.subarray(few, { minLength: 1 }), { minLength: 1, maxLength: 6 })
    .map((all) => all.map((choices, index) => ({ name: `v${index}`, owner: choices[0] as string, choices })));
  const cost = (owners: readonly string[]): number =>
    few.map((node) => owners.filter((owner) => owner === node).length ** 2).reduce((sum, square) => sum + square, 0);
  fc.assert(
    fc.property(movableItems, (all) => {
      const moved = runAtOnce(balance(all));
      let every: (readonly string[])[] = [[]];
      for (const { choices } of all) every = every.flatMap((owners) => choices.map((node) => [...owners, node]));
      const best = Math.min(...every.map(cost));
      assert.equal(cost(all.map(({ name, owner }) => moved.get(name) ?? owner)), best);
    }),
  );
});
