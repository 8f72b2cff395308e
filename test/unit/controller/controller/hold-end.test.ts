import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { Cluster } from "../fake-cluster/cluster.ts";

const address = "192.0.2.10";
/** Counts of pools, the last thing that follows, are written within a second. */
const quietMs = 2_000;
const secondMs = 1_000;
const holdMs = 600_000;

let clock: FakeClock;
let cluster: Cluster;

beforeEach(async () => {
  clock = new FakeClock();
  cluster = new Cluster(clock);
  await cluster.addNode("n1");
  await cluster.addPool("lan", [address], { holdAfterDelete: `${holdMs / secondMs}s` });
});

afterEach(() => stopAll());

async function stopAll(): Promise<void> {
  const stopped = cluster.stopAll();
  await clock.advance(quietMs);
  await stopped;
}

async function heldUntilMs(): Promise<number | undefined> {
  const text = (await cluster.virtualIps()).find(({ metadata }) => metadata.name === address)?.spec.heldUntil;
  return text === undefined ? undefined : Date.parse(text);
}

/** What happens to the controller that has begun the hold. The API shows the end in whole seconds, and others know only that. */
const fates: Readonly<Record<string, () => Promise<void>>> = {
  "the controller that began it runs on": () => Promise.resolve(),
  "the controller restarts": async () => {
    await stopAll();
    await cluster.start();
  },
  "another controller leads as well": async () => {
    await cluster.start();
  },
};

for (const [fate, befall] of Object.entries(fates)) {
  describe(`a hold lasts for the whole time of its pool, and until the time that it shows, where ${fate}`, () => {
    for (const fractionMs of [0, 1, 333, 500, 999]) {
      test(`from ${fractionMs} ms after a full second`, async () => {
        await cluster.start();
        await cluster.addService("web");
        await clock.advance(quietMs + ((secondMs + fractionMs - (clock.wallMs() % secondMs)) % secondMs));
        assert.deepEqual(await cluster.shown("web"), [address]);
        assert.equal(clock.wallMs() % secondMs, fractionMs);
        const dueMs = clock.monotonicMs() + holdMs;
        await cluster.deleteService("web");
        await clock.advance(0);
        const shownMs = await heldUntilMs();
        assert.ok(shownMs !== undefined, "it is held");
        await befall();
        await clock.advance(dueMs - 1 - clock.monotonicMs());
        assert.notEqual(await heldUntilMs(), undefined, "it was released before the time of the pool");
        const leftMs = shownMs - 1 - clock.wallMs();
        assert.ok(leftMs >= 0 && leftMs < secondMs, "it shows its end in whole seconds, rounded up");
        await clock.advance(leftMs);
        assert.notEqual(await heldUntilMs(), undefined, "it was released before the time that it shows");
        await clock.advance(1);
        assert.equal(await heldUntilMs(), undefined, "it is released at that time");
      });
    }
  });
}
