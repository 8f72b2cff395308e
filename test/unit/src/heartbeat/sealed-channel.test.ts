import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { maxPacketLength, tagLength } from "../../../../src/heartbeat/packet-header.ts";
import { defaultFreshMs } from "../../../../src/heartbeat/peer-session.ts";
import { exchange, key, Node, pair } from "./sealed-node.ts";

const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

describe("two nodes that start", () => {
  test("prove themselves by three answers, and then hear each other", () => {
    const [one, two] = [new Node("n1"), new Node("n2")];
    assert.equal(exchange(one, two, 100), 3);
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const opened = to.open(from.seal(to, `from ${from.name}`, 100), 100);
      assert.equal(opened.kind === "opened" && text(opened.payload), `from ${from.name}`);
      assert.deepEqual([opened.from, opened.answer], [from.name, false]);
    }
  });

  test("lose nothing by that: an answer repeats what was dropped, once, if it is recent", () => {
    const deliver = (lateMs: number): readonly string[] => {
      const [one, two] = [new Node("n1"), new Node("n2")];
      const heard: string[] = [];
      let packet = one.seal(two, "dropped", 0);
      for (let [sender, receiver] = [one, two]; ; [sender, receiver] = [receiver, sender]) {
        const result = receiver.open(packet, lateMs);
        if (result.kind === "opened") heard.push(`${receiver.name} ${text(result.payload)}`);
        if (!result.answer) return heard;
        packet = Uint8Array.from(receiver.channel.sealAnswer(sender.name, lateMs) ?? assert.fail("no answer"));
      }
    };
    assert.deepEqual(deliver(10), ["n1 ", "n2 dropped", "n1 "]);
    assert.deepEqual(deliver(defaultFreshMs / 4), ["n1 ", "n2 ", "n1 "]);
  });

  test("do not accept what comes before that", () => {
    const [one, two] = [new Node("n1"), new Node("n2")];
    assert.equal(one.resultOf(two.seal(one, "early", 0), 0), "unproven");
  });

  test("answer packets that prove nothing only now and then", () => {
    const [one, two] = [new Node("n1"), new Node("n2")];
    const answers = [0, 10, 49, 50, 60, 100].filter((ms) => two.open(one.seal(two, "", ms), ms).answer);
    assert.deepEqual(answers, [0, 50, 100]);
  });

  test("without a key, or for a node that is not a peer, seal nothing", () => {
    const node = new Node("n1", { keys: [] });
    assert.equal(node.channel.seal("n2", new Uint8Array(0), 0), undefined);
    node.channel.setKeys([key(1)]);
    assert.equal(node.channel.seal("n9", new Uint8Array(0), 0), undefined);
    assert.notEqual(node.channel.seal("n2", new Uint8Array(0), 0), undefined);
  });
});

describe("a packet of the same session", () => {
  test("is accepted once", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "x", 100);
    assert.deepEqual(
      [two.resultOf(packet, 100), two.resultOf(packet, 100), two.resultOf(packet, 200)],
      ["opened", "replayed", "replayed"],
    );
  });

  test("is accepted in another order, each once, unless it is far behind", () => {
    const [one, two] = pair();
    const packets = Array.from({ length: 60 }, (_, index) => one.seal(two, `${index}`, 100));
    const late = packets.splice(0, 40);
    for (const packet of packets) assert.equal(two.resultOf(packet, 100), "opened");
    const results = late.map((packet) => two.resultOf(packet, 100));
    // The newest is 59, and 28 is 31 behind it.
    assert.deepEqual(
      results.flatMap((result, index) => (result === "opened" ? [index] : [])),
      [28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39],
    );
    for (const packet of [...packets, ...late]) assert.equal(two.resultOf(packet, 100), "replayed");
  });

  test("is accepted by its recipient alone, in its cluster alone, and from peers alone", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "x", 100);
    assert.equal(new Node("n3").resultOf(packet, 100), "otherRecipient");
    assert.equal(new Node("n2", { cluster: "another" }).resultOf(packet, 100), "otherCluster");
    assert.equal(new Node("n2", { peers: ["n3"] }).resultOf(packet, 100), "unknownSender");
    assert.equal(new Node("n2", { keys: [key(2)] }).resultOf(packet, 100), "unknownKey");
    assert.equal(one.resultOf(packet, 100), "otherRecipient", "reflected to its sender");
    assert.equal(two.resultOf(packet, 100), "opened");
  });

  test("is not accepted from the one node in the name of another", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "x", 100);
    packet.set(Buffer.from("n3"), 45);
    assert.equal(two.resultOf(packet, 100), "forged");
  });

  test("whose name and cluster only begin with the same bits is not accepted either", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "x", 100);
    const foreign = new Node("n2", { cluster: "another" });
    packet.set(new Node("n1", { cluster: "another" }).seal(foreign, "", 0).subarray(4, 8), 4);
    assert.equal(foreign.resultOf(packet, 100), "forged");
  });
});

describe("bytes from the wire", () => {
  test("that were changed anywhere are refused", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "payload", 100);
    for (let index = 0; index < packet.length; index++) {
      const changed = Uint8Array.from(packet);
      changed[index] = (changed[index] ?? 0) ^ 0x10;
      assert.equal(two.open(changed, 100).kind, "rejected", `byte ${index}`);
    }
    assert.equal(two.resultOf(packet, 100), "opened");
  });

  test("that were cut off or are followed by others are refused", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "payload", 100);
    for (let length = 0; length < packet.length; length++) {
      assert.equal(two.open(packet.subarray(0, length), 100).kind, "rejected", `${length} bytes`);
    }
    assert.equal(two.resultOf(Uint8Array.from([...packet, 0]), 100), "forged");
  });

  test("at random are refused, and nothing is thrown", () => {
    const [one, two] = pair();
    const start = one.seal(two, "", 100).subarray(0, 46);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_300 }), fc.nat(46), (random, kept) => {
        const bytes = Uint8Array.from([...start.subarray(0, kept), ...random]);
        assert.equal(two.open(bytes, 100).kind, "rejected");
      }),
      { numRuns: 2_000 },
    );
  });

  test("of a later format are refused as such", () => {
    const [one, two] = pair();
    const packet = one.seal(two, "", 100);
    packet[2] = 2;
    assert.equal(two.resultOf(packet, 100), "otherVersion");
  });

  test("are never more than fit into one packet", () => {
    const [one, two] = pair();
    const { maxPayloadLength } = one.channel;
    assert.equal(one.seal(two, "x".repeat(maxPayloadLength), 0).length, maxPacketLength);
    assert.throws(() => one.seal(two, "x".repeat(maxPayloadLength + 1), 0), RangeError);
    assert.equal(one.seal(two, "", 0).length, 45 + 2 + tagLength);
  });
});
