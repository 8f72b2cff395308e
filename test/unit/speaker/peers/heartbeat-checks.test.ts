import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { findHeartbeatFault } from "../../../../speaker/peers/find-heartbeat-fault.ts";
import { HeartbeatChecks, heartbeatConditions } from "../../../../speaker/peers/heartbeat-checks.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { HeartbeatKey } from "../../../../src/heartbeat/heartbeat-key.ts";
import type { KeySecretView } from "../../../../src/heartbeat/key-secret.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { heartbeatFaultCases } from "./heartbeat-fault-cases.ts";

describe("what is wrong with the key of heartbeats", () => {
  for (const { name, facts, code, says = /^/ } of heartbeatFaultCases) {
    test(`${name}: ${code ?? "nothing"}`, () => {
      const usual = {
        namespace: "bellhop-system",
        secret: { kind: "usable" },
        hasKey: true,
        foreignKey: false,
      } as const;
      const fault = findHeartbeatFault({ ...usual, ...facts });
      assert.equal(fault?.code, code);
      assert.match(fault?.message ?? "", says);
    });
  }
});

describe("the speaker looks at the key of heartbeats", () => {
  const view: KeySecretView = { current: new HeartbeatKey(new Uint8Array(32)), previous: undefined };
  const secrets = { views: new Map<string, KeySecretView>(), synced: true, lastHeardMs: 0 as number | undefined };
  const nodes = { synced: true, lastHeardMs: 0 as number | undefined };
  let clock: FakeClock;
  let counters: Counters;
  let checks: HeartbeatChecks;

  beforeEach(() => {
    clock = new FakeClock();
    counters = new Counters();
    secrets.views = new Map([["bellhop-system/bellhop-heartbeat", view]]);
    for (const watch of [secrets, nodes]) Object.assign(watch, { synced: true, lastHeardMs: clock.monotonicMs() });
    const keyring = { keys: [view.current] };
    checks = new HeartbeatChecks({
      namespace: "bellhop-system",
      secrets,
      others: { nodes },
      keyring,
      counters,
      clock,
      log: silentLogger,
    });
  });

  const codeNow = (): string | undefined => checks.fault?.code;

  /** Looks every two seconds, while the watches are alive unless that of the Secret, or each, is `silent`. */
  async function pass(
    ms: number,
    each: () => void = () => {},
    silent: "none" | "secrets" | "all" = "none",
  ): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= 2_000) {
      await clock.advance(2_000);
      if (silent === "none") secrets.lastHeardMs = clock.monotonicMs();
      if (silent !== "all") nodes.lastHeardMs = clock.monotonicMs();
      each();
      checks.refresh();
    }
  }

  test("a Secret that can be used is reported once, and then nothing is", () => {
    assert.deepEqual([checks.refresh(), checks.refresh(), checks.fault], [true, false, undefined]);
  });

  test("a Secret that is not there yet is missing only after the controller had the time to create it", async () => {
    secrets.views = new Map();
    assert.equal(checks.refresh(), false, "nothing is known yet");
    await pass(88_000);
    assert.equal(codeNow(), undefined);
    await pass(4_000);
    assert.equal(codeNow(), "HeartbeatKeyMissing");
    secrets.views = new Map([["bellhop-system/bellhop-heartbeat", view]]);
    assert.deepEqual([checks.refresh(), checks.fault], [true, undefined]);
  });

  test("a Secret that becomes invalid is reported at once, and until it can be used again", () => {
    checks.refresh();
    checks.secretInvalid({ field: "data.current", detail: "data.current has 3 bytes." });
    assert.deepEqual([checks.refresh(), codeNow()], [true, "HeartbeatKeyInvalid"]);
    checks.secretInvalid(undefined);
    assert.deepEqual([checks.refresh(), checks.fault], [true, undefined]);
  });

  test("a watch that was never set up or has been silent for minutes is a Secret that cannot be read", async () => {
    await pass(300_000, undefined, "secrets");
    assert.equal(codeNow(), "HeartbeatKeyUnread");
    await pass(2_000);
    assert.equal(codeNow(), undefined);
    Object.assign(secrets, { synced: false });
    await pass(100_000);
    assert.equal(codeNow(), "HeartbeatKeyUnread");
  });

  test("an API server that does not answer at all is not a Secret that cannot be read, nor is a watch that follows late", async () => {
    checks.refresh();
    const found: (string | undefined)[] = [];
    const note = (): void => void found.push(codeNow());
    await pass(600_000, note, "all");
    await pass(60_000, note, "secrets");
    await pass(10_000, note);
    assert.deepEqual(new Set(found), new Set([undefined]));
  });

  test("speakers with another key are reported while their packets come, and a few packets are not", async () => {
    await pass(300_000, () => {
      if (clock.monotonicMs() % 20_000 === 0) counters.add("rejected.unknownKey");
    });
    assert.equal(codeNow(), undefined);
    await pass(10_000, () => counters.add("rejected.unknownKey", 20));
    assert.equal(codeNow(), "HeartbeatKeyDiffers");
    await pass(62_000);
    assert.equal(codeNow(), undefined);
  });
});

test("the condition Heartbeats has the cure, and keeps its time while nothing changes", () => {
  const good = heartbeatConditions([], undefined, "2026-01-01T00:00:00Z");
  assert.deepEqual([good.length, good[0]?.status], [1, "True"]);
  assert.equal(heartbeatConditions(good, undefined, "2026-01-02T00:00:00Z"), good);
  const facts = { namespace: "bellhop-system", secret: { kind: "missing" }, hasKey: true, foreignKey: false } as const;
  const bad = heartbeatConditions(good, findHeartbeatFault(facts), "2026-01-02T00:00:00Z");
  assert.deepEqual([bad[0]?.status, bad[0]?.reason], ["False", "HeartbeatKeyMissing"]);
  assert.match(bad[0]?.message ?? "", /it creates the Secret within a minute\.$/);
});
