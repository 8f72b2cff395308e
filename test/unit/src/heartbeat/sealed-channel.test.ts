import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HeartbeatKey } from "../../../../src/heartbeat/heartbeat-key.ts";
import { maxPacketLength, tagLength } from "../../../../src/heartbeat/packet-header.ts";
import { defaultFreshMs } from "../../../../src/heartbeat/peer-session.ts";
import { type Opened, type Rejected, SealedChannel } from "../../../../src/heartbeat/sealed-channel.ts";

const cluster = "8a4f0c1e-0000-4000-8000-000000000001";
const key = (fill: number): HeartbeatKey => new HeartbeatKey(new Uint8Array(32).fill(fill));
const text = (payload: Uint8Array): string => Buffer.from(payload).toString();
let sessions = 1_000;

/** The speaker of one node, without its socket. */
class Node {
  readonly name: string;
  readonly cluster: string;
  channel: SealedChannel;

  constructor(name: string, { keys = [key(1)], cluster: uid = cluster, peers = ["n1", "n2", "n3"] } = {}) {
    this.name = name;
    this.cluster = uid;
    this.channel = this.restart(keys, peers);
  }

  restart(keys: readonly HeartbeatKey[] = [key(1)], peers: readonly string[] = ["n1", "n2", "n3"]): SealedChannel {
    this.channel = new SealedChannel({ node: this.name, cluster: this.cluster, session: ++sessions });
    this.channel.setKeys(keys);
    this.channel.setPeers(peers, 0);
    return this.channel;
  }

  seal(to: Node, payload: string, nowMs: number): Uint8Array {
    return Uint8Array.from(this.channel.seal(to.name, Buffer.from(payload), nowMs) ?? assert.fail("not sealed"));
  }

  open(packet: Uint8Array, nowMs: number): Opened | Rejected {
    return this.channel.open(packet, nowMs);
  }

  /** What becomes of a packet: `opened`, or why not. */
  resultOf(packet: Uint8Array, nowMs: number): string {
    const result = this.open(packet, nowMs);
    return result.kind === "opened" ? "opened" : result.reason;
  }
}

/** Sends a packet, and the answers that follow from it; returns how many there were. */
function exchange(from: Node, to: Node, nowMs: number, payload = ""): number {
  let packet = from.seal(to, payload, nowMs);
  for (let answers = 0, [sender, receiver] = [from, to]; ; answers++, [sender, receiver] = [receiver, sender]) {
    if (!receiver.open(packet, nowMs).answer) return answers;
    packet = Uint8Array.from(receiver.channel.sealAnswer(sender.name, nowMs) ?? assert.fail("no answer"));
  }
}

/** Two nodes that hear each other. */
function pair(): readonly [Node, Node] {
  const [one, two] = [new Node("n1"), new Node("n2")];
  exchange(one, two, 0);
  return [one, two];
}

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

describe("recordings", () => {
  test("of an earlier session of the sender are refused, soon and late", () => {
    const [one, two] = pair();
    const heard = one.seal(two, "heard", 100);
    const unheard = one.seal(two, "unheard", 100);
    assert.equal(two.resultOf(heard, 100), "opened");
    one.restart();
    exchange(one, two, 200);
    for (const ms of [200, 1_000, 60_000]) {
      for (const packet of [heard, unheard]) assert.notEqual(two.resultOf(packet, ms), "opened");
    }
    const [afterwards] = [one.seal(two, "", 60_000)];
    assert.equal(two.resultOf(afterwards, 60_000), "stale");
    exchange(one, two, 60_100);
    assert.equal(two.resultOf(one.seal(two, "", 60_200), 60_200), "opened");
  });

  test("of an earlier session of the recipient are refused", () => {
    const [one, two] = pair();
    const packets = [one.seal(two, "heard", 100), one.seal(two, "unheard", 100)];
    assert.equal(two.resultOf(packets[0] ?? assert.fail(), 100), "opened");
    two.restart();
    for (const packet of packets) assert.equal(two.resultOf(packet, 150), "unproven");
    exchange(one, two, 300);
    for (const packet of packets) assert.equal(two.resultOf(packet, 300), "replayed");
  });

  test("do not keep a peer from being heard", () => {
    const [one, two] = pair();
    const recorded = one.seal(two, "", 100);
    one.restart();
    for (let ms = 200; ms < 400; ms += 10) two.open(recorded, ms);
    exchange(one, two, 400);
    two.open(recorded, 410);
    assert.equal(two.resultOf(one.seal(two, "", 500), 500), "opened");
    assert.equal(one.resultOf(two.seal(one, "", 500), 500), "opened");
  });

  test("of a peer that is no longer listed are refused also when it is listed again", () => {
    const [one, two] = pair();
    const recorded = one.seal(two, "", 100);
    assert.equal(two.resultOf(recorded, 100), "opened");
    two.channel.setPeers(["n3"], 200);
    assert.equal(two.resultOf(one.seal(two, "", 200), 200), "unknownSender");
    two.channel.setPeers(["n1", "n3"], 300);
    assert.equal(two.resultOf(recorded, 300), "replayed");
    assert.equal(two.resultOf(one.seal(two, "", 300), 300), "opened");
  });
});

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
      const channel = new SealedChannel({ node, cluster, session: ++sessions, freshMs: 10 * defaultFreshMs });
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

test("whatever is recorded, delayed, repeated and reordered: no packet is accepted twice or long after it was sent", () => {
  const names = ["n1", "n2"] as const;
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("send" as const), from: fc.nat(1) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("deliver" as const),
        index: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(40)),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.oneof(fc.nat(100), fc.nat(4_000)) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), node: fc.nat(1) }) },
  );
  const accepted = { count: 0 };
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 120 }), (events) => {
      const nodes = names.map((name) => new Node(name));
      const recorded: { readonly packet: Uint8Array; readonly to: number; readonly sentAtMs: number }[] = [];
      const seen = new Set<Uint8Array>();
      let nowMs = 0;
      const node = (index: number): Node => nodes[index] ?? assert.fail();
      exchange(node(0), node(1), nowMs);
      const record = (from: number, packet: Uint8Array | undefined): void => {
        if (packet !== undefined) recorded.push({ packet: Uint8Array.from(packet), to: 1 - from, sentAtMs: nowMs });
      };
      for (const step of events) {
        if (step.kind === "pass") nowMs += step.ms;
        else if (step.kind === "restart") node(step.node).restart();
        else if (step.kind === "send")
          record(step.from, node(step.from).seal(node(1 - step.from), `${recorded.length}`, nowMs));
        else {
          const chosen = recorded.at(-1 - step.index);
          if (chosen === undefined) continue;
          const opened = node(chosen.to).open(chosen.packet, nowMs);
          if (opened.answer) record(chosen.to, node(chosen.to).channel.sealAnswer(opened.from ?? "", nowMs));
          if (opened.kind !== "opened") continue;
          assert.ok(!seen.has(chosen.packet), "a packet is accepted twice");
          seen.add(chosen.packet);
          const lateMs = nowMs - chosen.sentAtMs;
          assert.ok(lateMs <= 1.5 * defaultFreshMs, `a packet is accepted ${lateMs} ms late`);
          accepted.count += 1;
        }
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(accepted.count > 1_000, `only ${accepted.count} packets were accepted`);
});
