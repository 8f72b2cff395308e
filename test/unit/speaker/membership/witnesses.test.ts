import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { type Notice, neverMs } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

/** What a witness says about n1; undefined: nothing. */
type Word = { readonly silentMs: number; readonly tried: boolean } | undefined;

interface World {
  /** What n3 and n4 say. Their heartbeats arrive. */
  readonly words: readonly [Word, Word];
  /** What n3 says without a question, this long after the last heartbeat of n1. */
  readonly notice?: { readonly atMs: number; readonly notice: Notice };
  /** n1 goes on to send heartbeats. */
  readonly continues?: boolean;
}

/** How long after its last heartbeat n1 is dead for n2; undefined: it is alive a second later. */
function deadAfterMs({ words, notice, continues = false }: World): number | undefined {
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers(["n1", "n3", "n4"].map((node) => ({ node, onLan: true })));
  const questions: (readonly [string, number])[] = [];
  for (let nowMs = 0; nowMs <= 2000; nowMs += 5) {
    membership.advance(nowMs);
    const common = { ...beat, sequence: nowMs + 1 };
    if (nowMs % 100 === 0 && (nowMs <= 1000 || continues)) membership.receive("n1", common, nowMs);
    if (nowMs % 100 === 30) membership.receive("n3", { ...common, session: 3 }, nowMs);
    if (nowMs % 100 === 60) membership.receive("n4", { ...common, session: 4 }, nowMs);
    if (notice !== undefined && nowMs === 1000 + notice.atMs)
      membership.receive("n3", { kind: "notices", notices: [notice.notice] }, nowMs);
    for (const [witness, atMs] of questions.splice(0)) {
      const word = words[witness === "n3" ? 0 : 1];
      if (atMs > nowMs) questions.push([witness, atMs]);
      else if (word !== undefined)
        membership.receive(witness, { kind: "answer", about: "n1", of: "speaker", ...word }, nowMs);
    }
    for (const effect of membership.take()) {
      if (effect.kind === "fact" && effect.fact.kind === "peerDown" && effect.fact.node === "n1") return nowMs - 1000;
      if (effect.kind !== "send" || effect.message.kind !== "question" || effect.message.of !== "speaker") continue;
      questions.push([effect.to, nowMs + 30]);
    }
  }
  return undefined;
}

const silent = { silentMs: 230, tried: true };
const never = { silentMs: neverMs, tried: true };
const cannotKnow = { silentMs: neverMs, tried: false };
const hears = { silentMs: 0, tried: false };
const dead = { node: "n1", incarnation: 1, revision: 1, state: "nodeDead" } as const;

describe("when a silent peer is dead", () => {
  const rows: readonly { readonly name: string; readonly world: World; readonly afterMs: number | undefined }[] = [
    { name: "both witnesses do not hear it either", world: { words: [silent, silent] }, afterMs: 225 },
    { name: "one of them says so", world: { words: [silent, undefined] }, afterMs: 225 },
    { name: "they say nothing, and are waited for", world: { words: [undefined, undefined] }, afterMs: 275 },
    { name: "one never heard it, and the other is waited for", world: { words: [never, undefined] }, afterMs: 275 },
    { name: "one cannot know, and the other is waited for", world: { words: [cannotKnow, undefined] }, afterMs: 275 },
    { name: "neither can know", world: { words: [never, cannotKnow] }, afterMs: 225 },
    { name: "one of them hears it", world: { words: [hears, silent] }, afterMs: undefined },
    {
      name: "another node counts it as dead, and it was heard a moment ago",
      world: { words: [undefined, undefined], notice: { atMs: 50, notice: dead }, continues: true },
      afterMs: undefined,
    },
    {
      name: "another node counts it as dead, and it has been silent for a while",
      world: { words: [undefined, undefined], notice: { atMs: 160, notice: dead } },
      afterMs: 160,
    },
    {
      name: "another node counts it as dead that has started again",
      world: { words: [hears, hears], notice: { atMs: 160, notice: { ...dead, incarnation: 0 } } },
      afterMs: undefined,
    },
  ];
  for (const { name, world, afterMs } of rows) test(name, () => assert.equal(deadAfterMs(world), afterMs));
});
