import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Answer, Claim, Message, QuestionSubject } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";
import { address, claimOfSecond, stake } from "./two-owners.ts";

/** When n2 is heard for the last time, in ms. */
const lastMs = 1000;

/** n2 announces the address, and n1 hears it for a second. n3 hears it all the time, and answers questions of n1. */
interface World {
  readonly owners?: readonly string[];
  readonly claim?: Claim;
  /** What n3 says to a question at that time. */
  readonly word: (nowMs: number) => Word;
  /** Between these two times the thread of n1 does not run. */
  readonly stallMs?: readonly [number, number];
  /** When n1 can serve the address. */
  readonly armedMs?: number;
}

type Word = Pick<Answer, "silentMs" | "tried" | "onlyAsFirst">;

/** When n1 takes the address, in ms; otherwise who announces it in the end, as far as n1 knows. And how many times n1 says again that it has it. */
function outcomeIn({
  owners = stake.owners,
  claim = claimOfSecond,
  word,
  stallMs: [fromMs, toMs] = [0, 0],
  armedMs = 200,
}: World): readonly [outcome: number | string | undefined, repeated: number] {
  const membership = new Membership({ node: "n1", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers(["n2", "n3"].map((node) => ({ node, onLan: true })));
  let outcome: number | string | undefined;
  let repeated = 0;
  let answers: readonly { readonly atMs: number; readonly word: Word }[] = [];
  for (let nowMs = 0; nowMs <= 4000; nowMs += 5) {
    if (nowMs >= fromMs && nowMs < toMs) continue;
    membership.advance(nowMs);
    const common = { ...beat, sequence: nowMs + 1 };
    if (nowMs === 10)
      membership.receive(
        "n2",
        { kind: "claims", session: 2, base: 0, version: 1, entries: [{ state: "held", address, claim }] },
        nowMs,
      );
    if (nowMs % 100 === 0 && nowMs <= lastMs) membership.receive("n2", { ...common, claimsVersion: 1 }, nowMs);
    if (nowMs % 100 === 30) membership.receive("n3", { ...common, session: 3 }, nowMs);
    if (nowMs === 200 || nowMs === armedMs) membership.setStake({ ...stake, owners, armed: nowMs >= armedMs });
    for (const { atMs, word } of answers)
      if (atMs === nowMs) membership.receive("n3", { kind: "answer", about: "n2", of: "speaker", ...word }, nowMs);
    for (const effect of membership.take()) {
      if (effect.kind === "announce") outcome = nowMs;
      if (effect.kind === "repeat") repeated += 1;
      if (effect.kind === "fact" && effect.fact.kind === "holder" && typeof outcome !== "number")
        outcome = effect.fact.holder;
      if (effect.kind !== "send" || effect.to !== "n3" || effect.message.kind !== "question") continue;
      if (effect.message.of === "speaker") answers = [...answers, { atMs: nowMs + 5, word: word(nowMs) }];
    }
  }
  return [outcome, repeated];
}

describe("a holder that the first owner does not hear, and another node does,", () => {
  const hears: Word = { silentMs: 20, tried: false };
  const said: Word = { ...hears, onlyAsFirst: true };
  const denied: Word = { ...hears, onlyAsFirst: false };
  const rows: readonly { readonly name: string; readonly world: World; readonly outcome: number | string }[] = [
    {
      name: "loses the address once it says that it announces none beside others",
      world: { word: () => said },
      outcome: 1425,
    },
    {
      name: "keeps it if it is the first owner itself",
      world: { owners: ["n2", "n1"], claim: { ...claimOfSecond, epoch: 0, rank: 0 }, word: () => said },
      outcome: "n2",
    },
    {
      name: "keeps it if its list of owners is newer",
      world: { claim: { ...claimOfSecond, term: 4 }, word: () => said },
      outcome: "n2",
    },
    {
      name: "keeps it if it may have said that before the first owner heard it for the last time",
      world: { word: (nowMs) => (nowMs < lastMs + 400 ? said : hears) },
      outcome: "n2",
    },
    {
      name: "keeps it where only an earlier version hears it",
      world: { word: () => hears },
      outcome: "n2",
    },
    {
      name: "keeps it if it says the contrary",
      world: { word: () => denied },
      outcome: "n2",
    },
    {
      name: "loses it also if the first owner can serve it only later",
      world: { word: (nowMs) => (nowMs < 2000 ? said : hears), armedMs: 3000 },
      outcome: 3000,
    },
    {
      name: "keeps it if the thread of the first owner did not run for a while since it was told",
      world: { word: (nowMs) => (nowMs < 2000 ? said : hears), stallMs: [2000, 2400], armedMs: 3000 },
      outcome: "n2",
    },
    {
      name: "keeps it if it says the contrary before the first owner can serve it",
      world: { word: (nowMs) => (nowMs < 2000 ? said : denied), armedMs: 3000 },
      outcome: "n2",
    },
  ];
  for (const { name, world, outcome } of rows) test(name, () => assert.deepEqual(outcomeIn(world), [outcome, 0]));

  test("is not contradicted again and again by the first owner, which has taken it, when its word changes", () =>
    assert.deepEqual(outcomeIn({ word: (nowMs) => (nowMs % 400 < 200 ? said : denied) }), [1695, 1]));
});

/** What n3, which has heard these messages of n2, one after the other, answers 10 ms later to the question of n1 about it. */
function answerAbout(messages: readonly Message[], everyMs = 10, of: QuestionSubject = "speaker"): unknown {
  const membership = new Membership({ node: "n3", session: 3, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers(["n1", "n2"].map((node) => ({ node, onLan: true })));
  for (const [index, message] of messages.entries()) {
    membership.advance(everyMs * index);
    membership.receive("n2", message, everyMs * index);
    membership.take();
  }
  const nowMs = everyMs * (messages.length - 1) + 10;
  membership.advance(nowMs);
  membership.receive("n1", { kind: "question", about: "n2", of }, nowMs);
  if (of === "kernel") membership.nodeAnswered("n2", nowMs);
  for (const effect of membership.take())
    if (effect.kind === "send" && effect.to === "n1" && effect.message.kind === "answer") return effect.message;
  return undefined;
}

describe("a witness passes on whether a node announces addresses only as their first owner", () => {
  const says: Message = { ...beat, onlyAsFirst: true };
  const later: Message = { ...beat, sequence: 2 };
  const claims: Message = { kind: "claims", session: 2, base: 0, version: 1, entries: [{ state: "passed", address }] };
  const passedOn = { kind: "answer", about: "n2", of: "speaker", silentMs: 10, tried: false, onlyAsFirst: true };
  const { onlyAsFirst: _, ...without } = passedOn;
  const rows: readonly {
    readonly name: string;
    readonly messages: readonly Message[];
    readonly everyMs?: number;
    readonly answer: unknown;
  }[] = [
    { name: "as its last heartbeat says", messages: [beat, { ...says, sequence: 2 }], answer: passedOn },
    {
      name: "or that it does not, as those of an earlier version do not",
      messages: [says, later],
      answer: { ...passedOn, onlyAsFirst: false },
    },
    { name: "also if another message has followed", messages: [says, claims], answer: passedOn },
    { name: "not if it was too long ago", messages: [says, claims], everyMs: 150, answer: without },
  ];
  for (const { name, messages, everyMs, answer } of rows)
    test(name, () => assert.deepEqual(answerAbout(messages, everyMs), answer));

  test("not with an answer about its kernel", () =>
    assert.deepEqual(answerAbout([says], 10, "kernel"), { ...without, of: "kernel", silentMs: 0 }));
});
