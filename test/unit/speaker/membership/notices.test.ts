import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EffectQueue } from "../../../../speaker/membership/effect-queue.ts";
import { NoticeBoard } from "../../../../speaker/membership/notices.ts";
import type { OwnState } from "../../../../speaker/membership/own-state.ts";
import { Peers } from "../../../../speaker/membership/peers.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Notice } from "../../../../src/heartbeat/messages.ts";

function emptyBoard(): NoticeBoard {
  const own: OwnState = {
    node: "n2",
    session: 1,
    timing: timingFor(),
    nowMs: 0,
    incarnation: 1,
    health: { ipv4: true, ipv6: true },
    phase: "running",
    joined: true,
    isolated: false,
    onlyAsFirst: true,
    reconnectedMs: Number.NEGATIVE_INFINITY,
    paused: false,
    isLate: false,
  };
  return new NoticeBoard(own, new Peers(own, () => {}), new EffectQueue());
}

const known: Notice = { node: "n1", incarnation: 5, revision: 1, state: "nodeDead" };

describe("after a notice that a node is dead", () => {
  const rows: readonly { readonly name: string; readonly notice: Notice; readonly isNews: boolean }[] = [
    { name: "the same is not news", notice: known, isNews: false },
    { name: "that it is alive is not", notice: { ...known, state: "alive" }, isNews: false },
    { name: "that its kernel answers is", notice: { ...known, state: "speakerDown" }, isNews: true },
    { name: "that its speaker is dead is not", notice: { ...known, revision: 0, state: "speakerDown" }, isNews: false },
    { name: "that it is alive is, if that is later", notice: { ...known, revision: 2, state: "alive" }, isNews: true },
    { name: "that another process is alive is", notice: { ...known, incarnation: 6, state: "alive" }, isNews: true },
    {
      name: "that an earlier process changed is not",
      notice: { ...known, incarnation: 4, revision: 9, state: "speakerDown" },
      isNews: false,
    },
  ];
  for (const { name, notice, isNews } of rows) {
    test(name, () => {
      const board = emptyBoard();
      assert.equal(board.publish(known), true);
      assert.equal(board.publish(notice), isNews);
    });
  }
});

test("however often the kernel of a node is found silent within one incarnation, what stays is that it is alive", () => {
  const board = emptyBoard();
  let published = 0;
  for (let change = 0; change < 1000; change++) {
    const isWorse = change % 2 === 0;
    const revision = board.nextRevision("n1", 5, isWorse);
    if (revision === undefined) continue;
    assert.ok(revision <= 255);
    if (board.publish({ node: "n1", incarnation: 5, revision, state: isWorse ? "unreachable" : "alive" }))
      published += 1;
  }
  assert.ok(published > 200);
  assert.equal(board.get("n1")?.state, "alive");
  assert.equal(board.nextRevision("n1", 6, true), 1);
});
