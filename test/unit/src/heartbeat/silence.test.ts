import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultFreshMs } from "../../../../src/heartbeat/peer-session.ts";
import { SealedChannel } from "../../../../src/heartbeat/sealed-channel.ts";
import { cluster, exchange, key, nextSession, pair } from "./sealed-node.ts";

describe("silence", () => {
  test("makes what was sent before it stale, and one exchange is enough afterwards", () => {
    const [one, two] = pair();
    const before = one.seal(two, "", 100);
    const ms = 100 + 2 * defaultFreshMs;
    assert.equal(two.resultOf(before, ms), "stale");
    assert.equal(exchange(one, two, ms + 100), 2);
    assert.equal(two.resultOf(one.seal(two, "", ms + 200), ms + 200), "opened");
  });

  test("is ended by an answer to the newest packet, not to a recording that comes after it", () => {
    const [one, two] = pair();
    const ms = 2 * defaultFreshMs;
    const [recorded, newest] = [one.seal(two, "", ms), one.seal(two, "", ms)];
    assert.deepEqual([two.resultOf(newest, ms), two.resultOf(recorded, ms)], ["stale", "stale"]);
    const answer = Buffer.from(two.channel.sealAnswer("n1", ms) ?? assert.fail());
    assert.deepEqual(answer.subarray(38, 44), Buffer.from(newest).subarray(26, 32));
  });

  test("in one direction makes the other one stale: a peer that hears nothing is not heard", () => {
    const [one, two] = pair();
    const results = new Set<string>();
    for (let ms = 100; ms < 3 * defaultFreshMs; ms += 100) {
      two.seal(one, "lost", ms);
      const result = two.resultOf(one.seal(two, "", ms), ms);
      if (ms < defaultFreshMs / 2) assert.equal(result, "opened");
      results.add(result);
    }
    assert.deepEqual([...results], ["opened", "stale"]);
  });

  test("may last longer where packets are sent rarely", () => {
    const [one, two] = ["n1", "n2"].map((node) => {
      const channel = new SealedChannel({ node, cluster, session: nextSession(), freshMs: 10 * defaultFreshMs });
      channel.setKeys([key(1)]);
      channel.setPeers(["n1", "n2"], 0);
      return channel;
    });
    const send = (from: SealedChannel | undefined, to: SealedChannel | undefined, name: string, ms: number) =>
      to?.open(from?.seal(name, new Uint8Array(0), ms) ?? assert.fail(), ms);
    for (const ms of [0, 1]) {
      send(one, two, "n2", ms);
      send(two, one, "n1", ms);
    }
    for (const ms of [4, 8, 12].map((part) => part * defaultFreshMs)) {
      assert.equal(send(one, two, "n2", ms)?.kind, "opened");
      assert.equal(send(two, one, "n1", ms)?.kind, "opened");
    }
  });

  test("of less than a second and a half changes nothing", () => {
    const [one, two] = pair();
    let ms = 0;
    for (let turn = 0; turn < 50; turn++) {
      ms += defaultFreshMs / 2 - 1;
      assert.equal(two.resultOf(one.seal(two, "", ms), ms), "opened");
      assert.equal(one.resultOf(two.seal(one, "", ms), ms), "opened");
    }
  });
});
