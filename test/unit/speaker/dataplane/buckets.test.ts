import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assignBuckets, bucketCountOf } from "../../../../speaker/dataplane/buckets.ts";

const pods = (count: number) => Array.from({ length: count }, (_, index) => `10.244.${index >> 8}.${index & 255} 8080`);
const ownersOf = (endpoints: readonly string[], seed: number) =>
  assignBuckets(endpoints, seed).map((index) => endpoints[index] ?? "");
const someSeed = fc.integer({ min: 1, max: 0xffff_ffff });
const somePods = fc.uniqueArray(fc.constantFrom(...pods(64)), { minLength: 2, maxLength: 40 });

describe("buckets of endpoints", () => {
  for (const [endpoints, buckets] of [
    [0, 0],
    [1, 1],
    [2, 32],
    [3, 64],
    [4, 64],
    [10, 256],
    [1000, 16_384],
    [5000, 16_384],
  ] as const) {
    test(`${endpoints} endpoints share ${buckets} buckets`, () => {
      assert.equal(bucketCountOf(endpoints), buckets);
      if (endpoints <= 10) assert.equal(assignBuckets(pods(endpoints), 1).length, buckets);
    });
  }

  test("an endpoint that goes loses its buckets, and no other bucket changes", () => {
    fc.assert(
      fc.property(somePods, someSeed, (endpoints, seed) => {
        const [gone, ...rest] = endpoints;
        const before = ownersOf(endpoints, seed);
        const after = ownersOf(rest, seed);
        if (before.length !== after.length) return;
        assert.ok(after.every((owner, bucket) => owner === before[bucket] || before[bucket] === gone));
      }),
    );
  });

  test("when their number doubles, half of them change only for the new endpoint", () => {
    fc.assert(
      fc.property(somePods, someSeed, (endpoints, seed) => {
        const [added, ...rest] = endpoints;
        const [before, after] = [ownersOf(rest, seed), ownersOf(endpoints, seed)];
        if (after.length !== 2 * before.length) return;
        assert.ok(before.every((owner, bucket) => [owner, added].includes(after[2 * bucket] ?? "")));
      }),
    );
  });

  test("the order of the endpoints does not matter", () => {
    fc.assert(
      fc.property(somePods, someSeed, (endpoints, seed) => {
        assert.deepEqual(ownersOf(endpoints, seed), ownersOf(endpoints.toReversed(), seed));
      }),
    );
  });

  test("every endpoint has a share between a third and twice the fair one, on average over seeds close to the fair one", () => {
    for (const count of [2, 3, 10, 100]) {
      const shares = new Map<string, number>();
      for (let seed = 1; seed <= 20; seed++) {
        const owners = ownersOf(pods(count), seed * 0x0123_4567);
        const fair = owners.length / count;
        for (const pod of pods(count)) {
          const share = owners.filter((owner) => owner === pod).length / fair;
          shares.set(pod, (shares.get(pod) ?? 0) + share / 20);
          if (count <= 10) assert.ok(share > 1 / 3 && share < 2, `${count} ${pod} ${share}`);
        }
      }
      for (const [pod, share] of shares) assert.ok(share > 0.7 && share < 1.3, `${count} ${pod} ${share}`);
    }
  });

  test("another seed gives other buckets", () => {
    assert.notDeepEqual(ownersOf(pods(3), 1), ownersOf(pods(3), 2));
  });
});
