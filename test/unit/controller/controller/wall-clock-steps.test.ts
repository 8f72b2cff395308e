import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import type { ApiRequest } from "../../../../src/kube/client.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { Cluster } from "../fake-cluster/cluster.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const address = "192.0.2.10";
/** Counts of pools, the last thing that follows, are written within a second. */
const quietMs = 2_000;

let clock: FakeClock;
let cluster: Cluster;

beforeEach(async () => {
  clock = new FakeClock();
  cluster = new Cluster(clock);
  await cluster.addNode("n1");
  await cluster.addPool("lan", [`${address}-192.0.2.12`], { holdAfterDelete: "10m" });
});

afterEach(async () => {
  const stopped = cluster.stopAll();
  await clock.advance(quietMs);
  await stopped;
});

async function heldUntil(): Promise<string | undefined> {
  return (await cluster.virtualIps()).find(({ metadata }) => metadata.name === address)?.spec.heldUntil;
}

async function restart(): Promise<void> {
  const stopped = cluster.stopAll();
  await clock.advance(quietMs);
  await stopped;
  await cluster.start();
}

/** Gives a Service the address and deletes it, so that the address is held for ten minutes. */
async function beginHold(): Promise<void> {
  await cluster.start();
  await cluster.addService("web");
  await clock.advance(quietMs);
  await cluster.deleteService("web");
  await clock.advance(quietMs);
  assert.notEqual(await heldUntil(), undefined);
}

async function writtenWhile(act: () => Promise<void>): Promise<readonly ApiRequest[]> {
  const before = cluster.server.writes.length;
  await act();
  return cluster.server.writes.slice(before);
}

const steps = [
  { what: "forward", ms: 6 * hourMs },
  { what: "back", ms: -6 * hourMs },
];

for (const { what, ms } of steps) {
  describe(`the wall clock is set ${what} by six hours`, () => {
    test("a hold that this controller began lasts as long as its pool says", async () => {
      await beginHold();
      clock.stepWall(ms);
      await clock.advance(9 * minuteMs);
      assert.notEqual(await heldUntil(), undefined);
      await clock.advance(2 * minuteMs);
      assert.equal(await heldUntil(), undefined);
    });

    test("and so it is for one that began just after, and one whose name comes back", async () => {
      await beginHold();
      clock.stepWall(ms);
      await cluster.addService("web");
      await clock.advance(quietMs);
      assert.deepEqual(await cluster.shown("web"), [address]);
      assert.equal(await heldUntil(), undefined);
      await cluster.deleteService("web");
      await clock.advance(9 * minuteMs);
      assert.notEqual(await heldUntil(), undefined);
      clock.stepWall(-ms);
      await clock.advance(2 * minuteMs);
      assert.equal(await heldUntil(), undefined);
    });

    test("a hold whose time the user changes ends by the wall clock as it is then", async () => {
      await beginHold();
      clock.stepWall(ms);
      const text = new Date(clock.wallMs() + 30 * minuteMs).toISOString();
      const body = { spec: { heldUntil: text } };
      const path = ownPath("virtualips", address);
      await cluster.patch(path, body);
      await clock.advance(29 * minuteMs);
      assert.equal(await heldUntil(), text);
      await clock.advance(3 * minuteMs);
      assert.equal(await heldUntil(), undefined);
    });

    test("nothing is written for it, even when everything is reconciled again", async () => {
      await cluster.start();
      await cluster.addService("web");
      await cluster.addService("lacks", { loadBalancerIP: "198.51.100.7" });
      await clock.advance(quietMs);
      const written = await writtenWhile(async () => {
        clock.stepWall(ms);
        await clock.advance(11 * minuteMs);
      });
      const others = written.filter(({ path }) => !path.includes("/events"));
      assert.deepEqual(others, []);
    });

    test("a condition that changes has the time of the clock then; one that stays keeps its own", async () => {
      await cluster.start();
      await cluster.addService("web", { loadBalancerIP: "198.51.100.7" });
      await clock.advance(quietMs);
      const timeOf = async (): Promise<string> =>
        String((await cluster.service("web"))?.status?.conditions?.[0]?.lastTransitionTime);
      const before = await timeOf();
      clock.stepWall(ms);
      await cluster.changeService("web", { spec: { loadBalancerIP: "garbage" } });
      await clock.advance(quietMs);
      assert.equal(await cluster.condition("web"), "False RequestedAddressInvalid");
      assert.equal(await timeOf(), before);
      await cluster.changeService("web", { spec: { loadBalancerIP: null } });
      await clock.advance(1);
      assert.equal(await cluster.condition("web"), "True AddressAssigned");
      assert.ok(Math.abs(Date.parse(await timeOf()) - clock.wallMs()) < minuteMs);
    });

    test("so do those of pools and VirtualIPs", async () => {
      await cluster.start();
      await cluster.addService("web");
      await clock.advance(quietMs);
      clock.stepWall(ms);
      await cluster.changePool("lan", { addresses: ["192.0.2.12"] });
      await clock.advance(quietMs);
      const times = [
        ...((await cluster.pool("lan")).status?.conditions ?? []),
        ...((await cluster.virtualIps())[0]?.status?.conditions ?? []),
      ].filter((condition) => condition.reason === "AddressOutsidePool");
      assert.equal(times.length, 2);
      for (const { lastTransitionTime } of times) {
        assert.ok(Math.abs(Date.parse(lastTransitionTime) - clock.wallMs()) < minuteMs);
      }
    });

    test("an object that cannot be written is tried again after the same waits", async () => {
      await cluster.start();
      let tries = 0;
      cluster.server.intercept = ({ method, path }) => {
        if (method !== "POST" || !path.endsWith("/virtualips")) return;
        tries++;
        throw new Error("the API server does not answer");
      };
      await cluster.addService("web");
      await clock.advance(10_000);
      const first = tries;
      assert.ok(first > 2);
      clock.stepWall(ms);
      await clock.advance(1);
      assert.equal(tries, first);
      cluster.server.intercept = undefined;
      await clock.advance(minuteMs);
      assert.deepEqual(await cluster.shown("web"), [address]);
    });
  });
}

describe("a hold outlives the controller that began it, and then only the wall clock tells its age", () => {
  test("set forward beyond its time, it ends with the next start", async () => {
    await beginHold();
    clock.stepWall(hourMs);
    await restart();
    await clock.advance(quietMs);
    assert.equal(await heldUntil(), undefined);
  });

  test("set back by an hour, it lasts an hour longer, and its Service gets the address meanwhile", async () => {
    await beginHold();
    clock.stepWall(-hourMs);
    await restart();
    await clock.advance(50 * minuteMs);
    assert.notEqual(await heldUntil(), undefined);
    await cluster.addService("web");
    await clock.advance(quietMs);
    assert.deepEqual(await cluster.shown("web"), [address]);
  });
});
