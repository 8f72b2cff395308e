import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { SpeakerLiveness } from "../../../../controller/owners/liveness.ts";
import type { SpeakerLeaseView } from "../../../../src/model/lease.ts";

function lease(renewal: string, holder = "n1"): SpeakerLeaseView {
  return { node: "n1", holder, durationMs: 6_000, renewal };
}

describe("liveness by our own clock", () => {
  let liveness: SpeakerLiveness;
  beforeEach(() => {
    liveness = new SpeakerLiveness();
  });

  /** As the controller checks. */
  function check(nowMs: number): readonly string[] {
    liveness.extendTimeouts(nowMs);
    return liveness.findExpired(nowMs);
  }

  test("alive while the lease changes, suspect after its duration, gone only when declared dead, back with the next renewal", () => {
    assert.equal(liveness.observe("n1", lease("1"), 0), true);
    assert.equal(liveness.observe("n1", lease("2"), 4_000), false);
    assert.deepEqual(check(9_999), []);
    assert.deepEqual(check(10_000), ["n1"]);
    assert.equal(liveness.live.has("n1"), true);
    assert.equal(liveness.markDead("n1"), true);
    assert.equal(liveness.live.has("n1"), false);
    assert.deepEqual(check(20_000), []);
    assert.equal(liveness.observe("n1", lease("2"), 21_000), false);
    assert.equal(liveness.observe("n1", lease("3"), 22_000), true);
  });

  test("the same lease seen again is not a renewal", () => {
    liveness.observe("n1", lease("1"), 0);
    liveness.observe("n1", lease("1"), 5_000);
    assert.deepEqual(check(6_000), ["n1"]);
  });

  test("where more than half fall silent at once, each gets a longer grace period, also once the first are back", () => {
    for (const node of ["n1", "n2", "n3"]) liveness.observe(node, { ...lease("1"), node }, 0);
    assert.deepEqual(check(5_000), []);
    assert.deepEqual(check(6_000), []);
    for (const node of ["n1", "n2"]) liveness.observe(node, { ...lease("2"), node }, 7_000);
    assert.deepEqual(check(8_000), []);
    assert.deepEqual(check(13_000), []);
    for (const node of ["n1", "n2"]) liveness.observe(node, { ...lease("3"), node }, 23_999);
    assert.deepEqual(check(24_000), ["n3"]);
  });

  test("to ask who has expired changes nothing, however often and for whatever time", () => {
    for (const node of ["n1", "n2", "n3"]) liveness.observe(node, { ...lease("1"), node }, 0);
    for (const nowMs of [5_000, 100_000]) liveness.findExpired(nowMs);
    for (const node of ["n1", "n2"]) liveness.observe(node, { ...lease("2"), node }, 5_500);
    assert.deepEqual(check(6_000), ["n3"], "not more than half were checked to be silent");
  });

  test("one of two that is silent gets no longer grace period", () => {
    for (const node of ["n1", "n2"]) liveness.observe(node, { ...lease("1"), node }, 0);
    liveness.observe("n1", lease("2"), 4_000);
    assert.deepEqual(check(5_000), []);
    assert.deepEqual(check(6_000), ["n2"]);
  });

  test("a shutdown counts at once, and so does a lease that is deleted", () => {
    for (const last of [lease("2", ""), undefined]) {
      liveness.observe("n1", lease("1"), 0);
      assert.equal(liveness.observe("n1", last, 1), true);
      assert.equal(liveness.live.size, 0);
    }
  });

  test("a speaker that could not be heard gets a new grace period; a dead one stays dead", () => {
    liveness.observe("n1", lease("1"), 0);
    liveness.observe("n2", { ...lease("1"), node: "n2" }, 0);
    liveness.markDead("n2");
    liveness.resetObservations(5_000);
    assert.deepEqual(check(10_999), []);
    assert.deepEqual(check(11_000), ["n1"]);
    assert.deepEqual([...liveness.live], ["n1"]);
  });
});
