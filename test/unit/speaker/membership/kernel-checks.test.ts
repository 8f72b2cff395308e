import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Effect } from "../../../../speaker/membership/effects.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Heartbeat } from "../../../../src/heartbeat/messages.ts";

const beat: Heartbeat = {
  kind: "heartbeat",
  session: 2,
  sequence: 1,
  incarnation: 5,
  intervalMs: 100,
  answer: false,
  wanted: true,
  joined: true,
  isolated: false,
  ipv4: true,
  ipv6: true,
  phase: "running",
  holdMs: 0,
  peerSession: 0,
  heardMs: 0,
  deadIncarnation: 0,
  claimsVersion: 0,
  claimsHave: 0,
};

/** How others answer n2, which hears from n1 that n1 hears nothing; n3 is well. */
interface World {
  /** The kernel of n1 answers n2. */
  readonly answers: boolean;
  /** What n3 says about the kernel of n1; undefined: nothing. */
  readonly witness: { readonly silentMs: number; readonly tried: boolean } | undefined;
  /** n1 is on the LAN of n2. */
  readonly onLan?: boolean;
  readonly isolated?: boolean;
}

/** The facts that n2 reports about n1 within two seconds. */
function factsAbout({ answers, witness, onLan = true, isolated = true }: World): readonly string[] {
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers([
    { node: "n1", onLan },
    { node: "n3", onLan: true },
  ]);
  const facts: string[] = [];
  let pending: readonly Effect[] = [];
  for (let nowMs = 10; nowMs <= 2000; nowMs += 10) {
    membership.advance(nowMs);
    if (nowMs % 100 === 0) {
      const sequence = nowMs;
      const common = { ...beat, sequence };
      membership.receive(
        "n1",
        { ...common, isolated: isolated && nowMs > 500, heardMs: nowMs > 500 ? nowMs - 500 : 0 },
        nowMs,
      );
      membership.receive("n3", { ...common, session: 3 }, nowMs);
    }
    for (const effect of pending) {
      if (effect.kind === "askNode" && effect.node === "n1" && answers) membership.nodeAnswered("n1", nowMs);
      if (effect.kind !== "send" || effect.message.kind !== "question" || effect.to !== "n3") continue;
      const { about, of } = effect.message;
      if (of === "kernel" && witness !== undefined) {
        membership.receive("n3", { kind: "answer", about, of, ...witness }, nowMs);
      }
    }
    pending = membership.take();
    for (const effect of pending) {
      if (effect.kind === "fact" && effect.fact.kind === "peerDown")
        facts.push(`${effect.fact.node} ${effect.fact.nodeDead ? "node" : "speaker"}`);
    }
  }
  return facts;
}

const silent = { silentMs: 2000, tried: true };
const never = { silentMs: 65_535, tried: false };

describe("a peer that says that it hears nothing", () => {
  const rows: readonly { readonly name: string; readonly world: World; readonly facts: readonly string[] }[] = [
    { name: "and answers no one leaves the data path", world: { answers: false, witness: silent }, facts: ["n1 node"] },
    { name: "and whose kernel answers stays", world: { answers: true, witness: silent }, facts: [] },
    {
      name: "and whose kernel answers another node stays",
      world: { answers: false, witness: { silentMs: 0, tried: false } },
      facts: [],
    },
    {
      name: "leaves also where the other node cannot know",
      world: { answers: false, witness: never },
      facts: ["n1 node"],
    },
    {
      name: "leaves also where the other node says nothing",
      world: { answers: false, witness: undefined },
      facts: ["n1 node"],
    },
    {
      name: "stays where its kernel cannot be asked",
      world: { answers: false, witness: silent, onLan: false },
      facts: [],
    },
    { name: "of this node alone stays", world: { answers: false, witness: silent, isolated: false }, facts: [] },
  ];
  for (const { name, world, facts } of rows) test(name, () => assert.deepEqual(factsAbout(world), facts));
});
