import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { liveSpeakers, SpeakerLiveness } from "../../../../controller/owners/liveness.ts";
import { type SpeakerPeers, speakerSchema } from "../../../../src/api/speaker.ts";
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
    assert.equal(liveness.markExpired("n1"), true);
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
    liveness.markExpired("n2");
    liveness.resetObservations(5_000);
    assert.deepEqual(check(10_999), []);
    assert.deepEqual(check(11_000), ["n1"]);
    assert.deepEqual([...liveness.live], ["n1"]);
  });
});

describe("liveness by what speakers report of each other", () => {
  const nodes = ["n1", "n2", "n3", "n4", "n5"];
  const hears = (...hearing: string[]): SpeakerPeers => ({ hearing, lost: [] });
  const lost = (...names: string[]): SpeakerPeers => ({
    hearing: nodes.filter((one) => !names.includes(one)),
    lost: names,
  });

  interface Case {
    readonly name: string;
    /** How many of the nodes there are. */
    readonly count: number;
    readonly reports: Readonly<Record<string, SpeakerPeers>>;
    readonly expired?: readonly string[];
    readonly dead: readonly string[];
    readonly cutOff?: readonly string[];
  }
  const cases: readonly Case[] = [
    { name: "an expired lease means death without reports", count: 3, reports: {}, expired: ["n1"], dead: ["n1"] },
    {
      name: "a speaker that another one hears is alive although its lease has expired",
      count: 3,
      reports: { n2: hears("n1") },
      expired: ["n1"],
      dead: [],
      cutOff: ["n1"],
    },
    {
      name: "what it says of itself does not count, and neither does a report of a speaker whose lease has expired",
      count: 5,
      reports: { n1: hears("n1", "n2"), n2: hears("n1", "n2") },
      expired: ["n1", "n2"],
      dead: ["n1", "n2"],
    },
    {
      name: "one that two others count as dead is dead before its lease has expired",
      count: 4,
      reports: { n1: hears("n2"), n2: lost("n1"), n3: lost("n1"), n4: hears("n2", "n3") },
      dead: ["n1"],
    },
    { name: "one report of three others is not enough", count: 4, reports: { n1: hears(), n2: lost("n1") }, dead: [] },
    {
      name: "in a cluster of two the report of the other is enough",
      count: 2,
      reports: { n1: hears("n2"), n2: lost("n1") },
      dead: ["n1"],
    },
    {
      name: "two that count each other as dead stay alive until their leases expire",
      count: 2,
      reports: { n1: lost("n2"), n2: lost("n1") },
      dead: [],
    },
    {
      name: "a third that hears it keeps it alive",
      count: 4,
      reports: { n1: hears("n4"), n2: lost("n1"), n3: lost("n1"), n4: hears("n1") },
      dead: [],
    },
    {
      name: "reports of dead speakers kill no other",
      count: 5,
      reports: { n1: hears(), n2: lost("n1"), n3: lost("n1"), n4: hears(), n5: hears() },
      expired: ["n2", "n3"],
      dead: ["n2", "n3"],
    },
    {
      name: "where each of four hears none of the others, the network has failed, and all stay alive",
      count: 4,
      reports: {
        n1: { hearing: [], lost: ["n2", "n3", "n4"] },
        n2: { hearing: [], lost: ["n1", "n3", "n4"] },
        n3: { hearing: [], lost: ["n1", "n2", "n4"] },
        n4: { hearing: [], lost: ["n1", "n2", "n3"] },
      },
      dead: [],
    },
    {
      name: "a speaker that reports no peers, of a version without heartbeats, dies only by its lease",
      count: 4,
      reports: { n2: lost("n1"), n3: lost("n1"), n4: lost("n1") },
      dead: [],
    },
  ];
  for (const { name, count, reports, expired = [], dead, cutOff = [] } of cases) {
    test(name, () => {
      const liveness = new SpeakerLiveness();
      const present = nodes.slice(0, count);
      for (const node of present) liveness.observe(node, { ...lease("1"), node }, 0);
      for (const [node, peers] of Object.entries(reports)) liveness.report(node, peers);
      for (const node of expired) liveness.markExpired(node);
      const alive = present.filter((node) => !dead.includes(node));
      assert.deepEqual([...liveness.live].sort(), alive);
      assert.deepEqual([...liveness.cutOff], cutOff);
      const held = new Set(present);
      const live = new Set(present.filter((node) => !expired.includes(node)));
      const speakers = Object.entries(reports).map(([node, peers]) => {
        const status = { bootNonce: "b", peers: { bootNonce: "b", ...peers } };
        return speakerSchema.parse({ metadata: { name: node }, status });
      });
      assert.deepEqual([...liveSpeakers({ held, live }, speakers)].sort(), alive, "read once, as explain does");
    });
  }

  test("a speaker that is heard again, or whose report is gone, counts by its lease again", () => {
    const liveness = new SpeakerLiveness();
    for (const node of ["n1", "n2", "n3"]) liveness.observe(node, { ...lease("1"), node }, 0);
    liveness.report("n1", hears("n2", "n3"));
    assert.equal(liveness.report("n2", lost("n1")), false);
    assert.equal(liveness.report("n3", lost("n1")), true);
    assert.equal(liveness.live.has("n1"), false);
    assert.equal(liveness.report("n3", hears("n1")), true);
    assert.equal(liveness.live.has("n1"), true);
    liveness.report("n3", lost("n1"));
    assert.equal(liveness.report("n1", undefined), true, "a version without heartbeats runs there now");
    assert.equal(liveness.live.has("n1"), true);
  });

  type Step =
    | { readonly kind: "renew" | "expire" | "release" | "silent"; readonly node: string }
    | { readonly kind: "report"; readonly node: string; readonly peers: SpeakerPeers };
  const node = fc.constantFrom(...nodes);
  const peers = fc
    .array(fc.constantFrom("hearing", "lost", "unknown"), { minLength: nodes.length, maxLength: nodes.length })
    .map((states) => ({
      hearing: nodes.filter((_, index) => states[index] === "hearing"),
      lost: nodes.filter((_, index) => states[index] === "lost"),
    }));
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constantFrom("renew", "expire", "release", "silent"), node }),
    fc.record({ kind: fc.constant("report"), node, peers }),
  );

  test("whatever the order of events, the result depends on the newest leases and reports alone, and each change is reported", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const liveness = new SpeakerLiveness();
        const leases = new Map<string, "fresh" | "expired">();
        const reports = new Map<string, SpeakerPeers>();
        let renewals = 0;
        for (const one of steps) {
          const before = [...liveness.live].sort();
          let changed = false;
          if (one.kind === "renew") {
            changed = liveness.observe(one.node, { ...lease(String(++renewals)), node: one.node }, 0);
            leases.set(one.node, "fresh");
          } else if (one.kind === "expire") {
            changed = liveness.markExpired(one.node);
            if (leases.has(one.node)) leases.set(one.node, "expired");
          } else if (one.kind === "release") {
            changed = liveness.observe(one.node, undefined, 0);
            leases.delete(one.node);
          } else {
            changed = liveness.report(one.node, one.kind === "report" ? one.peers : undefined);
            if (one.kind === "report") reports.set(one.node, one.peers);
            else reports.delete(one.node);
          }
          const after = [...liveness.live].sort();
          assert.deepEqual(after, expectedLive(leases, reports));
          assert.equal(changed, before.join() !== after.join());
        }
      }),
    );
  });
});

/** The rules again, without anything that is remembered. */
function expectedLive(
  leases: ReadonlyMap<string, "fresh" | "expired">,
  reports: ReadonlyMap<string, SpeakerPeers>,
): readonly string[] {
  const fresh = [...leases.keys()].filter((node) => leases.get(node) === "fresh");
  const by = (node: string, kind: "hearing" | "lost"): number =>
    fresh.filter((other) => other !== node && reports.get(other)?.[kind].includes(node)).length;
  const lost = fresh.filter(
    (node) => reports.has(node) && by(node, "hearing") === 0 && by(node, "lost") >= (fresh.length === 2 ? 1 : 2),
  );
  const believed = lost.length * 2 <= fresh.length ? lost : [];
  return [...leases.keys()]
    .filter((node) => (fresh.includes(node) ? !believed.includes(node) : by(node, "hearing") > 0))
    .sort();
}
