import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readAnswerers, readTarget } from "../../bench/failover/timeline.ts";
import type { Observation } from "../../e2e/probe/announcement-observer.ts";
import type { RequestRecord } from "../../e2e/probe/steady-client.ts";

const name = { client: "client", path: "nodeport", family: "ipv4", address: "172.30.0.200" };
const faultMs = 10_000;

/** A request every 10 ms from one second before the fault to two seconds after it, answered after 2 ms unless it is lost. */
function asked(lost: (afterFaultMs: number) => boolean): readonly RequestRecord[] {
  return Array.from({ length: 300 }, (_, index) => {
    const startMs = faultMs - 1_000 + index * 10;
    const good = { target: 0, startMs, endMs: startMs + 2 };
    return lost(startMs - faultMs) ? { ...good, endMs: startMs + 900, error: "timeout" } : good;
  });
}

describe("what a client saw of a failover", () => {
  test("without a failed request the gap is the pace of the requests", () => {
    const { gapMs, failed, firstFailedMs, firstGoodMs } = readTarget(
      name,
      asked(() => false),
      faultMs,
    );
    assert.deepEqual(
      { gapMs, failed, firstFailedMs, firstGoodMs },
      { gapMs: 10, failed: 0, firstFailedMs: undefined, firstGoodMs: undefined },
    );
  });

  test("the gap lasts from the last good answer to the next one", () => {
    const figures = readTarget(
      name,
      asked((ms) => ms >= 0 && ms < 240),
      faultMs,
    );
    assert.equal(figures.gapMs, 250);
    assert.equal(figures.firstFailedMs, 0);
    assert.equal(figures.firstGoodMs, 242);
    assert.deepEqual([figures.failed, figures.failedLate], [24, 0]);
    assert.deepEqual(figures.errors, { timeout: 24 });
  });

  test("requests that fail later than a second after the fault are counted apart, and the longest gap counts", () => {
    const figures = readTarget(
      name,
      asked((ms) => (ms >= 0 && ms < 100) || (ms >= 1_200 && ms < 1_500)),
      faultMs,
    );
    assert.deepEqual([figures.gapMs, figures.failed, figures.failedLate], [310, 40, 30]);
    assert.equal(figures.failedLateAtMs?.length, 30);
    assert.ok(figures.failedLateAtMs.every((atMs) => atMs >= 1_000));
  });

  test("a target that never answers again has no gap but a failure", () => {
    const figures = readTarget(
      name,
      asked((ms) => ms >= 0),
      faultMs,
    );
    assert.deepEqual([figures.gapMs, figures.firstGoodMs, figures.failed], [undefined, undefined, 200]);
  });
});

function answers(mac: string, fromMs: number, toMs: number, solicited = true): readonly Observation[] {
  const count = Math.floor((toMs - fromMs) / 10) + 1;
  return Array.from({ length: count }, (_, index) => ({
    atMs: faultMs + fromMs + index * 10,
    address: name.address,
    mac,
    solicited,
  }));
}

const inOrder = (...seen: readonly (readonly Observation[])[]) => seen.flat().sort((a, b) => a.atMs - b.atMs);

describe("which devices answered during a failover", () => {
  for (const [words, seen, changedMs, overlapMs, last] of [
    ["one device all the time", inOrder(answers("a", -500, 2_000)), undefined, 0, ["a"]],
    ["another device after a silence", inOrder(answers("a", -500, 0), answers("b", 220, 2_000)), 220, 0, ["b"]],
    ["two devices for 80 ms", inOrder(answers("a", -500, 300), answers("b", 220, 2_000)), 220, 80, ["b"]],
    [
      "the first one again, later",
      inOrder(answers("a", -500, 0), answers("b", 220, 900), answers("a", 950, 2_000)),
      220,
      0,
      ["a"],
    ],
    [
      "two devices to the end",
      inOrder(answers("a", -500, 2_000), answers("b", 1_000, 2_000)),
      1_000,
      1_000,
      ["a", "b"],
    ],
    ["three devices", inOrder(answers("a", -500, 100), answers("b", 50, 200), answers("c", 90, 2_000)), 50, 150, ["c"]],
  ] as const) {
    test(words, () => {
      const figures = readAnswerers(name.address, seen, faultMs);
      assert.deepEqual([figures.changedMs, figures.overlapMs, figures.last], [changedMs, overlapMs, last]);
    });
  }

  test("gratuitous frames are not answers, and other addresses do not count", () => {
    const other = answers("b", 0, 500).map((one) => ({ ...one, address: "172.30.0.201" }));
    const figures = readAnswerers(
      name.address,
      inOrder(answers("a", -500, 1_000), answers("b", 100, 300, false), other),
      faultMs,
    );
    assert.deepEqual([figures.overlapMs, figures.gratuitousMs, figures.last], [0, 100, ["a"]]);
  });
});
