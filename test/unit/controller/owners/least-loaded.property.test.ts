import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LeastLoaded } from "../../../../controller/owners/least-loaded.ts";
import { OwnerCounts } from "../../../../controller/owners/owner-counts.ts";
import { rankOf } from "../../../../src/placement/rank.ts";

const nodes = Array.from({ length: 9 }, (_, index) => `n${index}`);

test("each address gets the node that a look at all of them finds, also while other addresses get theirs elsewhere", () => {
  const step = fc.record({ address: fc.nat(255), elsewhere: fc.option(fc.constantFrom(...nodes), { nil: undefined }) });
  fc.assert(
    fc.property(fc.subarray(nodes, { minLength: 1 }), fc.array(step, { maxLength: 60 }), (candidates, steps) => {
      const counts = new OwnerCounts();
      const least = new LeastLoaded(candidates, counts);
      for (const { address, elsewhere } of steps) {
        const name = `192.0.2.${address}`;
        const byLoad = candidates.toSorted(
          (a, b) => counts.firstOf(a) - counts.firstOf(b) || rankOf(b, name) - rankOf(a, name),
        );
        const node = least.pick(name);
        assert.equal(node, byLoad[0]);
        counts.addFirst(node, 1);
        counts.addFirst(elsewhere, 1);
      }
    }),
  );
});
