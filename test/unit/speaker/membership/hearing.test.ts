import assert from "node:assert/strict";
import { test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { beat } from "./beat.ts";

test("a peer that others hear stays reported as heard through a short silence, and not through a long one", () => {
  const membership = new Membership({ node: "n1", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers(["n2", "n3"].map((node) => ({ node, onLan: true })));
  const isReportedAt: Record<number, boolean> = {};
  for (let nowMs = 0; nowMs <= 3000; nowMs += 10) {
    membership.advance(nowMs);
    for (const node of nowMs <= 1000 ? ["n2", "n3"] : ["n3"])
      if (nowMs % 100 === 0) membership.receive(node, { ...beat, sequence: nowMs }, nowMs);
    // n3 hears n2, whatever this node hears.
    for (const effect of membership.take()) {
      if (effect.kind !== "send" || effect.message.kind !== "question" || effect.to !== "n3") continue;
      membership.receive("n3", { ...effect.message, kind: "answer", silentMs: 0, tried: false }, nowMs);
    }
    isReportedAt[nowMs] = membership.hearing.heard.includes("n2");
  }
  assert.deepEqual(
    [isReportedAt[1000], isReportedAt[1400], isReportedAt[1900], isReportedAt[2500]],
    [true, true, true, false],
  );
  assert.deepEqual(membership.hearing.lost, []);
});
