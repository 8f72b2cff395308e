import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printElementData, printKey } from "../../../../src/nft/set.ts";
import { FakeNode, service } from "./fake-node.ts";
import { type Step, someStep } from "./generated-services.ts";

/** What is in the sets of our tables. Sets that no element was ever in count as empty. */
function elementsOf(fakeNode: FakeNode): unknown {
  const lines: string[] = [];
  for (const table of fakeNode.nft.tables.values()) {
    for (const [name, set] of table.sets) {
      // The set of interfaces is there as long as the table is.
      if (name !== "lan_interfaces")
        for (const element of set.elements.values()) {
          const key = printKey(set.declaration, element);
          lines.push(`${table.family} ${name} ${key} ${printElementData(set.declaration, element)}`);
        }
    }
  }
  return lines.sort();
}

test("after any sequence of changes and failures the rules end up as if written once from nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { maxLength: 8 }), async (steps) => {
      const fakeNode = new FakeNode();
      const last = new Map<string, Step>();
      for (const step of steps) {
        last.set(step.view.key, step);
        fakeNode.nft.broken = step.fails ? "no memory" : undefined;
        const { failures } = await fakeNode.put(step.view, step.slices, step.addresses);
        for (const { error } of failures) assert.equal(error.message, "no memory");
      }
      fakeNode.nft.broken = undefined;
      await fakeNode.retry();
      const fresh = new FakeNode();
      for (const { view, slices, addresses } of last.values()) await fresh.put(view, slices, addresses);
      assert.deepEqual(elementsOf(fakeNode), elementsOf(fresh));
      fakeNode.dataplane.invalidate();
      await fakeNode.put(service({ key: "default/none" }), [], []);
      assert.deepEqual(elementsOf(fakeNode), elementsOf(fresh), "a whole write equals the deltas");
    }),
    { numRuns: 300 },
  );
});
