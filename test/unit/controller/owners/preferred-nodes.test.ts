import assert from "node:assert/strict";
import { test } from "node:test";
import { planOwners } from "../../../../controller/owners/owners.ts";
import { runAtOnce } from "../../../../src/clock/turn.ts";

/** Counts how many of its nodes are visited. */
class CountedNodes extends Set<string> {
  visits = 0;

  override *[Symbol.iterator](): SetIterator<string> {
    for (const node of super[Symbol.iterator]()) {
      this.visits++;
      yield node;
    }
  }
}

const nodes = Array.from({ length: 200 }, (_, index) => `n${String(index).padStart(3, "0")}`);

test("many preferred nodes are not visited again for each address, and all of them get addresses", () => {
  const preferred = new CountedNodes(nodes.slice(0, 100));
  const visitsOf = (count: number): number => {
    const before = preferred.visits;
    const addresses = Array.from({ length: count }, (_, index) => ({
      name: `192.0.2.${index}`,
      current: [],
      candidates: nodes,
      local: preferred,
    }));
    const plan = runAtOnce(planOwners(addresses, { even: true, peers: 6 }));
    const first = new Set([...plan.values()].map(([node = ""]) => node));
    assert.equal(first.size, Math.min(count, preferred.size));
    assert.ok([...first].every((node) => preferred.has(node)));
    return preferred.visits - before;
  };
  visitsOf(10);
  // A few for each: whether there are enough of them for the list.
  const visits = visitsOf(200);
  assert.ok(visits <= 200 * 20, String(visits));
});
