import assert from "node:assert/strict";
import { test } from "node:test";
import { Rings } from "../../../../speaker/membership/rings.ts";

const namesOf = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `node-${index}`);

for (const count of [1, 2, 3, 4, 5, 10, 100, 1000]) {
  test(`each of ${count} nodes is watched by ${Math.min(count - 1, 2)} others at least and by four at most, and watches these`, () => {
    const names = namesOf(count);
    const rings = new Rings(names);
    for (const name of names) {
      const neighbours = rings.neighboursOf(name);
      assert.ok(neighbours.size >= Math.min(count - 1, 2) && neighbours.size <= 4, `${name}: ${neighbours.size}`);
      assert.ok(!neighbours.has(name));
      for (const other of neighbours) assert.ok(rings.neighboursOf(other).has(name), `${name} and ${other}`);
    }
  });
}

test("nodes agree on their neighbours, in whatever order they know the others", () => {
  const names = namesOf(50);
  const [rings, reversed] = [new Rings(names), new Rings(names.toReversed())];
  for (const name of names) assert.deepEqual(rings.neighboursOf(name), reversed.neighboursOf(name));
  assert.equal(rings.neighboursOf("unknown").size, 0);
});

test("news of one node has passed all of 5,000 nodes after 12 steps from neighbour to neighbour", () => {
  const rings = new Rings(namesOf(5000));
  const reached = new Set(["node-0"]);
  let last: readonly string[] = [...reached];
  for (let step = 0; step < 12; step++) {
    last = last.flatMap((name) => [...rings.neighboursOf(name)]).filter((name) => !reached.has(name));
    for (const name of last) reached.add(name);
  }
  assert.equal(reached.size, 5000);
});
