import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { OwnedAddress } from "../../../../controller/owners/owned-address.ts";
import { planOwners } from "../../../../controller/owners/owners.ts";
import { runAtOnce } from "../../../../src/clock/turn.ts";
import { countVisits } from "../../count-visits.ts";

type Plan = ReadonlyMap<string, readonly string[]>;

const peers = 6;

function nodesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `node-${String(index).padStart(4, "0")}`);
}

function addressesOf(count: number, candidates: readonly string[], current?: Plan): readonly OwnedAddress[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `10.0.${index >> 8}.${index & 255}`;
    return { name, current: current?.get(name) ?? [], candidates, local: undefined };
  });
}

function plan(addresses: readonly OwnedAddress[], even = false): Plan {
  return runAtOnce(planOwners(addresses, { even, peers }));
}

/** By node: the others that are in an owner list with it. */
function neighbours(lists: Iterable<readonly string[]>): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const list of lists) {
    for (const node of list) {
      const others = found.get(node) ?? new Set();
      for (const other of list) if (other !== node) others.add(other);
      found.set(node, others);
    }
  }
  return found;
}

function most(lists: Iterable<readonly string[]>): number {
  return Math.max(...[...neighbours(lists).values()].map((others) => others.size));
}

function changedLists(before: Plan, after: Plan): number {
  return [...after].filter(([name, list]) => list.join() !== before.get(name)?.join()).length;
}

describe("copysets", () => {
  test("each node shares owner lists with no more than its peers, however many nodes and addresses there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 120 }), fc.integer({ min: 1, max: 1_000 }), (size, count) => {
        assert.ok(most(plan(addressesOf(count, nodesOf(size))).values()) <= peers);
      }),
      { numRuns: 30 },
    );
  });

  test("when a node dies, its addresses spread over its peers evenly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 1, max: 40 }), (size, each) => {
        const nodes = nodesOf(size);
        const lists = plan(addressesOf(each * size, nodes));
        for (const node of nodes) {
          const heirs = [...lists.values()].filter(([first]) => first === node).map(([, next]) => next ?? "");
          const counts = new Map<string, number>();
          for (const heir of heirs) counts.set(heir, (counts.get(heir) ?? 0) + 1);
          assert.ok(Math.max(...counts.values()) <= Math.ceil(each / peers), `${node}: ${JSON.stringify([...counts])}`);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a node that dies changes its own lists alone, and its addresses go to the next in each", () => {
    const nodes = nodesOf(100);
    const before = plan(addressesOf(1_000, nodes));
    const dead = nodes[17] as string;
    const left = nodes.filter((node) => node !== dead);
    const after = plan(addressesOf(1_000, left, before));
    for (const [name, list] of after) {
      const own = before.get(name) ?? [];
      if (!own.includes(dead)) assert.deepEqual(list, own);
      else
        assert.equal(
          list[0],
          own.find((node) => node !== dead),
        );
    }
    assert.ok(most(after.values()) <= peers + 2, "the list is filled up from nearby");
  });

  test("nodes that come and go again and again leave each node with few others to share lists with", () => {
    const all = nodesOf(80);
    const step = fc.record({ gone: fc.subarray([...all], { maxLength: 8 }), even: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        let lists = plan(addressesOf(400, all));
        for (const { gone, even } of steps) {
          const present = all.filter((node) => !gone.includes(node));
          lists = plan(addressesOf(400, present, lists), even);
        }
        assert.ok(most(lists.values()) <= 3 * peers);
      }),
      { numRuns: 20 },
    );
  });

  test("a node that joins changes only as many lists as addresses move to it", () => {
    const nodes = nodesOf(50);
    const before = plan(addressesOf(500, nodes), true);
    const grown = [...nodes, "node-0025b"].sort();
    assert.equal(changedLists(before, plan(addressesOf(500, grown, before), false)), 0);
    assert.ok(changedLists(before, plan(addressesOf(500, grown, before), true)) <= Math.ceil(500 / 51));
  });

  test("complete lists stay as they are, whichever version made them, and converge as they have to change", () => {
    const nodes = nodesOf(40);
    const foreign = new Map(
      addressesOf(200, nodes).map(({ name }, index) => [
        name,
        [0, 7, 19].map((step) => nodes[(index * 3 + step) % nodes.length] as string),
      ]),
    );
    assert.deepEqual(
      plan(addressesOf(200, nodes, foreign)),
      new Map([...foreign].sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    // Every node restarts once: each list loses each of its nodes, one after the other.
    let lists: Plan = foreign;
    for (const node of nodes) {
      lists = plan(
        addressesOf(
          200,
          nodes.filter((other) => other !== node),
          lists,
        ),
      );
      lists = plan(addressesOf(200, nodes, lists));
    }
    assert.ok(most(lists.values()) <= 2 * peers);
  });

  test("under Local nodes with endpoints come first, from wherever on the ring, and only then the peers", () => {
    const nodes = nodesOf(60);
    fc.assert(
      fc.property(fc.subarray([...nodes], { minLength: 1, maxLength: 6 }), (local) => {
        const [address] = addressesOf(1, nodes).map((one) => ({ ...one, local: new Set(local) }));
        const [list = []] = plan([address as OwnedAddress]).values();
        const near = Math.min(3, local.length);
        assert.equal(list.length, 3);
        assert.ok(list.slice(0, near).every((node) => local.includes(node)));
        assert.ok(list.slice(near).every((node) => !local.includes(node)));
      }),
    );
  });

  test("the plan does not depend on the order of nodes and addresses in memory", () => {
    const nodes = nodesOf(30);
    const forward = plan(addressesOf(100, nodes), true);
    const backward = plan([...addressesOf(100, [...nodes].reverse().sort())].reverse(), true);
    assert.deepEqual(backward, forward);
  });

  test("a pass looks at as many entries for each address among 1,000 nodes as among 100", async () => {
    const visitsPerAddress = async (size: number, even: boolean): Promise<number> => {
      const nodes = nodesOf(size);
      const settled = plan(addressesOf(1_000, nodes), true);
      const left = nodes.slice(1);
      const addresses = addressesOf(1_000, left, settled);
      const visits = await countVisits(async () => assert.equal(plan(addresses, even).size, addresses.length));
      return visits / addresses.length;
    };
    for (const even of [false, true]) {
      const [few, many] = [await visitsPerAddress(100, even), await visitsPerAddress(1_000, even)];
      assert.ok(many < few + 20, `${few} entries were looked at per address among 100 nodes, ${many} among 1,000`);
    }
  });
});
