import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchange, key, Node, pair } from "./sealed-node.ts";

describe("during a rotation", () => {
  /** What the Secret contains, in the order of time. */
  const steps = [[key(1)], [key(2), key(1)], [key(2)]];

  for (const [first, second] of [
    [0, 1],
    [1, 0],
    [1, 1],
    [1, 2],
    [2, 1],
  ] as const) {
    test(`nodes that have read the Secret at steps ${first} and ${second} hear each other`, () => {
      const [one, two] = pair();
      let ms = 0;
      const hear = (): void => {
        ms += 100;
        assert.equal(two.resultOf(one.seal(two, "", ms), ms), "opened", "n2 hears n1");
        assert.equal(one.resultOf(two.seal(one, "", ms), ms), "opened", "n1 hears n2");
      };
      hear();
      // Each reads what came before, as its watch delivers it.
      for (let step = 1; step <= Math.max(first, second); step++) {
        if (step <= first) one.channel.setKeys(steps[step] ?? []);
        hear();
        if (step <= second) two.channel.setKeys(steps[step] ?? []);
        hear();
        hear();
      }
    });
  }

  test("a node that starts with both keys and one that has only the former hear each other", () => {
    const [one, two] = [new Node("n1", { keys: [key(2), key(1)] }), new Node("n2", { keys: [key(1)] })];
    exchange(one, two, 0);
    assert.equal(two.resultOf(one.seal(two, "", 100), 100), "opened");
    assert.equal(one.resultOf(two.seal(one, "", 100), 100), "opened");
  });

  test("the former key is no longer used once both have the new one", () => {
    const [one, two] = pair();
    const keyOf = (packet: Uint8Array): number => Buffer.from(packet).readUInt32BE(12);
    one.channel.setKeys([key(2), key(1)]);
    assert.equal(keyOf(one.seal(two, "", 100)), key(1).id);
    two.channel.setKeys([key(2), key(1)]);
    one.open(two.seal(one, "", 200), 200);
    assert.equal(keyOf(one.seal(two, "", 300)), key(2).id);
  });
});
