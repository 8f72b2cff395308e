import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Effect } from "../../../../speaker/membership/effects.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { beat } from "./beat.ts";

/** When n1 sends a heartbeat for the last time that certainly arrives, in ms. */
const lastMs = 1000;

/** What n2 learns of n1 after that. n3 is well, and the gateway answers. */
interface World {
  /** How many heartbeats in a row are lost; Infinity: all. */
  readonly lost: number;
  /** How many answers to questions are lost, too. */
  readonly unanswered?: number;
  /** The speaker of n1 answers questions, or its kernel does. */
  readonly speaker?: boolean;
  readonly kernel?: boolean;
  /** How long after the last heartbeat the thread of n2 does not run, and what arrives meanwhile waits. */
  readonly stall?: { readonly fromMs: number; readonly forMs: number };
  /** n4, a peer like n1, dies so much earlier. */
  readonly othersMs?: number;
  /** n3 answers the question whether it hears n1: no. After so long, 5 ms by default. */
  readonly witness?: boolean;
  readonly witnessMs?: number;
}

/** How long after its last heartbeat n1 is dead for n2; undefined: it never is, within a second. */
function deadAfterMs(world: World): number | undefined {
  const { lost, speaker = false, kernel = false, stall, othersMs, witness = false, witnessMs = 5 } = world;
  let { unanswered = 0 } = world;
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers(["n1", "n3", "n4"].map((node) => ({ node, onLan: true })));
  const owners = ["n1", "n4", "n2"];
  membership.setStake({ address: "192.0.2.1", family: "IPv4", owners, createdSeconds: 1, term: 1, armed: true });
  let waiting: { readonly atMs: number; readonly arrive: (nowMs: number) => void }[] = [];
  let sequence = 0;
  const beatOf = (node: string, session: number) => (nowMs: number) =>
    membership.receive(node, { ...beat, session, sequence: ++sequence }, nowMs);
  const answer = (effect: Effect, nowMs: number): void => {
    const arrive = (then: (nowMs: number) => void): void => {
      waiting.push({ atMs: nowMs + 1, arrive: then });
    };
    if (effect.kind === "askGateway") arrive((atMs) => membership.gatewayAnswered(atMs));
    if (effect.kind === "send" && effect.to === "n3" && effect.message.kind === "question" && witness) {
      const { about, of } = effect.message;
      const said = { kind: "answer", about, of, silentMs: 200, tried: true } as const;
      waiting.push({ atMs: nowMs + witnessMs, arrive: (atMs) => membership.receive("n3", said, atMs) });
    }
    const asksSpeaker = effect.kind === "send" && effect.to === "n1" && effect.message.kind === "heartbeat";
    if (speaker && asksSpeaker && effect.message.answer && --unanswered < 0) arrive(beatOf("n1", 2));
    if (kernel && effect.kind === "askNode" && effect.node === "n1") {
      if (--unanswered < 0) arrive((atMs) => membership.nodeAnswered("n1", atMs));
    }
  };
  for (let nowMs = 0; nowMs <= lastMs + 1000; nowMs++) {
    const silenceMs = nowMs - lastMs;
    if (nowMs % 100 === 0 && (silenceMs <= 0 || silenceMs > lost * 100))
      waiting.push({ atMs: nowMs, arrive: beatOf("n1", 2) });
    if (nowMs % 100 === 50) waiting.push({ atMs: nowMs, arrive: beatOf("n3", 3) });
    const isOtherAlive = othersMs === undefined || silenceMs <= -othersMs;
    if ((nowMs + (othersMs ?? 0)) % 100 === 0 && isOtherAlive) waiting.push({ atMs: nowMs, arrive: beatOf("n4", 4) });
    if (stall !== undefined && silenceMs >= stall.fromMs && silenceMs < stall.fromMs + stall.forMs) continue;
    const arrived = waiting.filter(({ atMs }) => atMs <= nowMs);
    if (arrived.length === 0 && nowMs < membership.nextDueMs) continue;
    waiting = waiting.filter(({ atMs }) => atMs > nowMs);
    membership.advance(nowMs);
    for (const { arrive } of arrived) arrive(nowMs);
    for (const effect of membership.take()) {
      if (effect.kind === "fact" && effect.fact.kind === "peerDown" && effect.fact.node === "n1") return silenceMs;
      answer(effect, nowMs);
    }
  }
  return undefined;
}

interface Row {
  readonly name: string;
  readonly world: World;
  readonly afterMs: number | undefined;
}

function tryAll(rows: readonly Row[]): void {
  for (const { name, world, afterMs } of rows) test(name, () => assert.equal(deadAfterMs(world), afterMs));
}

describe("a peer of which heartbeats are lost is not dead", () => {
  tryAll([
    { name: "if it was one", world: { lost: 1, witness: true }, afterMs: undefined },
    { name: "if it was one, and no question is answered", world: { lost: 1, speaker: false }, afterMs: undefined },
    { name: "if its speaker answers", world: { lost: 4, speaker: true, witness: true }, afterMs: undefined },
    {
      name: "if its speaker answers the third question only",
      world: { lost: 2, speaker: true, unanswered: 2, witness: true },
      afterMs: undefined,
    },
    {
      name: "if its kernel answers the third question only, and three are lost",
      world: { lost: 3, kernel: true, unanswered: 2, witness: true },
      afterMs: undefined,
    },
  ]);
});

describe("a peer that is silent is dead", () => {
  tryAll([
    { name: "after two and a quarter intervals, with a witness", world: { lost: 99, witness: true }, afterMs: 225 },
    { name: "at once when a late witness says so", world: { lost: 99, witness: true, witnessMs: 85 }, afterMs: 235 },
    { name: "half an interval later without one", world: { lost: 99 }, afterMs: 275 },
    {
      name: "after four and a half, if its kernel answers",
      world: { lost: 99, kernel: true, witness: true },
      afterMs: 450,
    },
    {
      name: "a quarter of an interval sooner, if another has just died as well",
      world: { lost: 99, witness: true, othersMs: 70 },
      afterMs: 200,
    },
    { name: "when the other one dies", world: { lost: 99, witness: true, othersMs: 15 }, afterMs: 210 },
    {
      name: "not sooner, if its kernel answers, and another has just died",
      world: { lost: 99, kernel: true, witness: true, othersMs: 70 },
      afterMs: 450,
    },
    {
      name: "not before half an interval of questions, if the thread did not run when it should have asked",
      world: { lost: 99, witness: true, stall: { fromMs: 120, forMs: 90 } },
      afterMs: 260,
    },
    {
      name: "a moment after a turn that is late",
      world: { lost: 99, witness: true, stall: { fromMs: 205, forMs: 30 } },
      afterMs: 240,
    },
  ]);
});

test("what arrived while the thread did not run counts before a death", () => {
  for (let fromMs = 120; fromMs <= 224; fromMs++) {
    const world = { lost: 2, speaker: true, unanswered: 1, witness: true, stall: { fromMs, forMs: 225 - fromMs + 10 } };
    assert.equal(deadAfterMs(world), undefined, `the thread stopped ${fromMs} ms after the last heartbeat`);
  }
});
