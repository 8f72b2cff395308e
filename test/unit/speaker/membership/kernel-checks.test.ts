import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Effect } from "../../../../speaker/membership/effects.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { type Notice, neverMs } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

/** What n2 learns of n1. All times in ms; n3 is well. */
interface World {
  /** Until when the kernel of n1 answers n2; always by default. */
  readonly answersUntil?: number;
  /** From when it does so again. */
  readonly answersFrom?: number;
  /** What n3 says about the kernel of n1; undefined: nothing. */
  readonly witness?: { readonly silentMs: number; readonly tried: boolean } | undefined;
  /** n1 is on the LAN of n2; it is by default. */
  readonly onLan?: boolean;
  /** From and until when n1 does not hear n2, and says that it hears nothing. */
  readonly unheardFrom?: number;
  readonly unheardUntil?: number;
  readonly isolated?: boolean;
  /** Heartbeats of n1 end at 600, and n3 says this at 800 by default. */
  readonly death?: Notice;
  readonly deathAt?: number;
  /** When n3 says that the kernel of n1 answers again. */
  readonly answerToldAt?: number;
  /** When n1 says that it leaves. */
  readonly leftAt?: number;
  /** Nothing arrives from n3. */
  readonly isAlone?: boolean;
}

/** The facts that n2 reports about n1 within six seconds. */
function factsAbout(world: World): readonly string[] {
  const { answersUntil = 1e9, witness, onLan = true, unheardFrom = 1e9, unheardUntil = 1e9, isolated = true } = world;
  const { death, deathAt = 800, isAlone = false, leftAt = 1e9, answersFrom = 1e9, answerToldAt } = world;
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers([
    { node: "n1", onLan },
    { node: "n3", onLan: true },
  ]);
  const facts: string[] = [];
  let pending: readonly Effect[] = [];
  for (let nowMs = 10; nowMs <= 6000; nowMs += 10) {
    membership.advance(nowMs);
    const common = { ...beat, sequence: nowMs };
    if (nowMs === leftAt) membership.receive("n1", { ...common, phase: "left" }, nowMs);
    if (nowMs % 100 === 0 && nowMs < leftAt && (death === undefined || nowMs <= 600)) {
      const isUnheard = nowMs >= unheardFrom && nowMs < unheardUntil;
      const heardMs = isUnheard ? nowMs - unheardFrom : 0;
      membership.receive("n1", { ...common, isolated: isolated && isUnheard, heardMs }, nowMs);
    }
    if (nowMs % 100 === 50 && !isAlone) membership.receive("n3", { ...common, session: 3 }, nowMs);
    if (nowMs === deathAt && death !== undefined)
      membership.receive("n3", { kind: "notices", notices: [death] }, nowMs);
    if (nowMs === answerToldAt && death !== undefined)
      membership.receive("n3", { kind: "notices", notices: [{ ...death, revision: 9, state: "speakerDown" }] }, nowMs);
    for (const effect of pending) {
      if (effect.kind === "askNode" && effect.node === "n1" && (nowMs < answersUntil || nowMs >= answersFrom))
        membership.nodeAnswered("n1", nowMs);
      if (effect.kind !== "send" || effect.message.kind !== "question" || effect.to !== "n3") continue;
      const { about, of } = effect.message;
      if (of === "kernel" && witness !== undefined)
        membership.receive("n3", { kind: "answer", about, of, ...witness }, nowMs);
    }
    pending = membership.take();
    for (const effect of pending) {
      if (effect.kind !== "fact" || !("node" in effect.fact) || effect.fact.node !== "n1") continue;
      facts.push(effect.fact.kind === "peerUp" ? "up" : effect.fact.nodeDead ? "node" : "speaker");
    }
  }
  return facts;
}

interface Row {
  readonly name: string;
  readonly world: World;
  readonly facts: readonly string[];
}

function tryAll(rows: readonly Row[]): void {
  for (const { name, world, facts } of rows) test(name, () => assert.deepEqual(factsAbout(world), facts));
}

const silent = { silentMs: 2000, tried: true };
const cannotKnow = { silentMs: neverMs, tried: false };
const answered = { silentMs: 0, tried: false };

describe("a peer that says that it hears nothing", () => {
  const nothing: World = { unheardFrom: 500, answersUntil: 0 };
  tryAll([
    { name: "leaves the data path if it answers no one", world: { ...nothing, witness: silent }, facts: ["node"] },
    {
      name: "returns when it hears others, whether its kernel answers or not",
      world: { ...nothing, witness: silent, unheardUntil: 2000 },
      facts: ["node", "up"],
    },
    { name: "stays if its kernel answers", world: { unheardFrom: 500, witness: silent }, facts: [] },
    { name: "stays if its kernel answers another node", world: { ...nothing, witness: answered }, facts: [] },
    { name: "leaves also if the other node cannot know", world: { ...nothing, witness: cannotKnow }, facts: ["node"] },
    { name: "leaves also if the other node says nothing", world: nothing, facts: ["node"] },
    { name: "stays if this node hears nothing else itself", world: { ...nothing, isAlone: true }, facts: [] },
    { name: "stays if its kernel cannot be asked", world: { ...nothing, witness: silent, onLan: false }, facts: [] },
    {
      name: "stays if only this node is not heard",
      world: { ...nothing, witness: silent, isolated: false },
      facts: [],
    },
    {
      name: "is dead with its kernel if its heartbeats end, also where the kernel cannot be asked",
      world: {
        death: { node: "n1", incarnation: 1, revision: 1, state: "unreachable" },
        unheardFrom: 500,
        onLan: false,
      },
      facts: ["node", "node"],
    },
  ]);
});

describe("a peer whose speaker is dead", () => {
  const unknown: Notice = { node: "n1", incarnation: 1, revision: 0, state: "speakerDown" };
  const seen: Notice = { ...unknown, revision: 1 };
  tryAll([
    { name: "stays while its kernel answers", world: { death: seen, witness: silent }, facts: ["speaker"] },
    {
      name: "leaves the data path when its kernel no longer answers anyone",
      world: { death: seen, witness: silent, answersUntil: 3000 },
      facts: ["speaker", "node"],
    },
    {
      name: "stays while its kernel answers another node",
      world: { death: seen, witness: answered, answersUntil: 3000 },
      facts: ["speaker"],
    },
    {
      name: "stays if this node has never seen its kernel answer, and another one has",
      world: { death: seen, answersUntil: 0 },
      facts: ["speaker"],
    },
    {
      name: "leaves if no node has seen its kernel answer",
      world: { death: unknown, deathAt: 760, answersUntil: 0 },
      facts: ["speaker", "node"],
    },
    {
      name: "stays if its kernel cannot be asked",
      world: { death: unknown, answersUntil: 0, onLan: false },
      facts: ["speaker"],
    },
    {
      name: "leaves if its kernel cannot be asked, and another node has found it silent",
      world: { death: { ...unknown, revision: 1, state: "nodeDead" }, deathAt: 1500, onLan: false },
      facts: ["speaker", "node"],
    },
  ]);
});

describe("a peer that leaves", () => {
  const dead: Notice = { node: "n1", incarnation: 1, revision: 1, state: "nodeDead" };
  const nothing: World = { unheardFrom: 500, answersUntil: 0, witness: silent };
  tryAll([
    { name: "stays in the data path", world: { leftAt: 2050, answersUntil: 0 }, facts: [] },
    { name: "stays out of it while nothing arrives there", world: { ...nothing, leftAt: 2050 }, facts: ["node"] },
    {
      name: "returns to it when its kernel answers this node",
      world: { ...nothing, leftAt: 2050, answersFrom: 3000 },
      facts: ["node", "speaker"],
    },
    {
      name: "returns if it was frozen before, because its programs run",
      world: { death: { ...dead, state: "frozen" }, leftAt: 2050 },
      facts: ["node", "speaker"],
    },
    {
      name: "returns also if it was dead before",
      world: { death: dead, answersUntil: 0, leftAt: 2050, answersFrom: 3000 },
      facts: ["node", "speaker"],
    },
  ]);
});

describe("a witness that is asked about the kernel of a node", () => {
  const rows = [
    { name: "says that it answers", onLan: true, answers: true, expected: [0, false] },
    { name: "says that it does not, after it has tried", onLan: true, answers: false, expected: [neverMs - 1, true] },
    { name: "cannot know what is not on its LAN", onLan: false, answers: false, expected: [neverMs, false] },
  ] as const;
  for (const { name, onLan, answers, expected } of rows) {
    test(name, () => {
      const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
      membership.setPeers([
        { node: "n1", onLan },
        { node: "n3", onLan: true },
      ]);
      membership.advance(10);
      membership.receive("n3", { ...beat, session: 3 }, 10);
      membership.receive("n3", { kind: "question", about: "n1", of: "kernel" }, 10);
      const effects = [...membership.take()];
      assert.equal(
        effects.some(({ kind }) => kind === "askNode"),
        onLan,
      );
      for (const nowMs of [15, 45]) {
        membership.advance(nowMs);
        if (answers) membership.nodeAnswered("n1", nowMs);
        effects.push(...membership.take());
      }
      const said = effects.flatMap((effect) =>
        effect.kind === "send" && effect.message.kind === "answer"
          ? [[effect.message.silentMs, effect.message.tried]]
          : [],
      );
      assert.deepEqual(said, [expected]);
    });
  }
});

test("a node whose kernel answers another one again is not dead again by what was silent before", () => {
  const death: Notice = { node: "n1", incarnation: 1, revision: 0, state: "speakerDown" };
  const world: World = { death, witness: silent, answersUntil: 1500, answersFrom: 4500, answerToldAt: 4500 };
  assert.deepEqual(factsAbout(world), ["speaker", "node", "speaker"]);
});
