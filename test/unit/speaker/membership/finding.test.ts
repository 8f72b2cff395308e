import assert from "node:assert/strict";
import { test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { NodeState } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

/**
 * When n2 sends heartbeats to n1, and when it looks for it, in ms. n1 is silent from 600 until `returnsMs`, its kernel as well if that is not said to be
 * frozen or alive; n3 is well and confirms that.
 */
function run({ onLan = true, state = "nodeDead" as NodeState, returnsMs = 3000 }): {
  readonly sent: readonly number[];
  readonly found: readonly number[];
} {
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers([
    { node: "n1", onLan },
    { node: "n3", onLan: true },
  ]);
  const sent: number[] = [];
  const found: number[] = [];
  const death = { node: "n1", incarnation: 1, revision: 0, state } as const;
  for (let nowMs = 10; nowMs <= returnsMs + 1000; nowMs += 10) {
    membership.advance(nowMs);
    const common = { ...beat, sequence: nowMs };
    if (nowMs % 100 === 0 && (nowMs <= 600 || nowMs >= returnsMs)) membership.receive("n1", common, nowMs);
    if (nowMs % 100 === 50) membership.receive("n3", { ...common, session: 3 }, nowMs);
    if (nowMs === 900) membership.receive("n3", { kind: "notices", notices: [death] }, nowMs);
    for (const effect of membership.take()) {
      if (effect.kind === "findNode") found.push(nowMs);
      if (effect.kind === "askNode" && state !== "nodeDead") membership.nodeAnswered("n1", nowMs);
      if (effect.kind === "send" && effect.to === "n1" && effect.message.kind === "heartbeat") sent.push(nowMs);
    }
  }
  return { sent, found };
}

test("while a node is dead, each heartbeat to it goes with a frame by which the kernels find each other", () => {
  const { sent, found } = run({});
  const first = found[0] ?? 0;
  assert.ok(first > 600 && first <= 1000, `${first}`);
  assert.deepEqual(
    found,
    sent.filter((atMs) => atMs >= first && atMs < 3000),
  );
  assert.ok(found.length >= 20, "ten a second");
});

test("a node is not looked for after five minutes, when switches have forgotten it", () => {
  const { sent, found } = run({ returnsMs: 310_000 });
  const lastMs = found.at(-1) ?? 0;
  assert.ok(lastMs > 300_000 && lastMs < 300_600, `${lastMs}`);
  assert.ok(sent.some((atMs) => atMs > 309_000));
});

test("a node that is not on the LAN, or whose kernel answers, is not looked for", () => {
  assert.deepEqual(run({ onLan: false }).found, []);
  for (const state of ["speakerDown", "frozen"] as const) assert.deepEqual(run({ state }).found, []);
});
