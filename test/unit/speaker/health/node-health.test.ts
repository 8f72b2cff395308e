import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HealthMonitor } from "../../../../speaker/health/health-monitor.ts";
import { type HealthFacts, nodeHealth } from "../../../../speaker/health/node-health.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";

const written = { everWritten: true, failingSinceMs: undefined, failure: undefined };
const never = { everWritten: false, failingSinceMs: undefined, failure: undefined };
const healthy: HealthFacts = {
  nowMs: 100_000,
  startedMs: 50_000,
  writes: { IPv4: written, IPv6: written },
  silentMs: 0,
};

describe("of which families a node can serve addresses", () => {
  const cases: readonly {
    readonly words: string;
    readonly facts: Partial<HealthFacts>;
    readonly ready: readonly string[];
  }[] = [
    { words: "everything works", facts: {}, ready: ["IPv4", "IPv6"] },
    {
      words: "writes of one family fail, not for long yet",
      facts: { writes: { IPv4: { ...written, failingSinceMs: 95_000, failure: "no" }, IPv6: written } },
      ready: ["IPv4", "IPv6"],
    },
    {
      words: "writes of one family have failed for more than 5 s",
      facts: { writes: { IPv4: { ...written, failingSinceMs: 94_999, failure: "no" }, IPv6: written } },
      ready: ["IPv6"],
    },
    { words: "rules were never written", facts: { writes: { IPv4: never, IPv6: written } }, ready: ["IPv6"] },
    {
      words: "rules are not written yet, after the start",
      facts: { startedMs: 95_000, writes: { IPv4: never, IPv6: never } },
      ready: ["IPv4", "IPv6"],
    },
    { words: "the responder thread does nothing", facts: { silentMs: 5_001 }, ready: [] },
  ];
  for (const { words, facts, ready } of cases) {
    test(words, () => assert.deepEqual(nodeHealth({ ...healthy, ...facts }).readyFamilies, ready));
  }
});

test("a process that was frozen does not count as one whose responder thread is stalled", async () => {
  const clock = new FakeClock();
  const counters = new Counters();
  const dataplane = { writesOf: () => written };
  const monitor = new HealthMonitor({ dataplane, responder: { counters }, clock });
  monitor.start();
  counters.add("turns");
  monitor.update();
  clock.stall(60_000);
  assert.equal(monitor.update(), false);
  assert.equal(monitor.current.answering, true);
  for (let look = 0; look < 3; look++) {
    clock.stall(2_000);
    monitor.update();
  }
  assert.equal(monitor.current.answering, false, "the thread really does nothing");
  counters.add("turns");
  assert.equal(monitor.update(), true);
  assert.equal(monitor.current.answering, true);
});
