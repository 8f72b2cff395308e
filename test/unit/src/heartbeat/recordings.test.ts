import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defaultFreshMs } from "../../../../src/heartbeat/peer-session.ts";
import { exchange, Node, pair } from "./sealed-node.ts";

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
