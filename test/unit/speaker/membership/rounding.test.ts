import assert from "node:assert/strict";
import { test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { beat } from "./beat.ts";

/** A time at which a peer is heard, and one after it whose difference is rounded to less than 200 ms, although the sum is not later. */
function findRoundedTimes(): readonly [number, number] {
  for (let step = 1; step < 1_000_000; step++) {
    const heardMs = step / 7;
    const nowMs = heardMs + 200;
    if (nowMs - heardMs < 200) return [heardMs, nowMs];
  }
  throw new Error("there are no such times");
}

test("a turn ends, however the times of a peer are rounded", () => {
  const [heardMs, nowMs] = findRoundedTimes();
  const options = { node: "n1", session: 1, incarnation: 1, timing: timingFor(), nowMs: heardMs };
  const membership = new Membership(options);
  membership.setPeers([{ node: "n2", onLan: true }]);
  membership.advance(heardMs);
  membership.receive("n2", beat, heardMs);
  membership.take();
  // In turns of at most 100 ms, so that the thread did not stall.
  for (const atMs of [heardMs + 100, nowMs]) {
    membership.advance(atMs);
    membership.take();
  }
  assert.deepEqual(membership.hearing.heard, ["n2"]);
});
