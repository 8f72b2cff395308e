import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readLeaseHolders } from "../../../../controller/collect/read-leases.ts";
import type { Clock } from "../../../../src/clock/clock.ts";
import { patchTypes } from "../../../../src/kube/client.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { leasePath } from "../../../../src/kube/path.ts";

const namespace = "bellhop-system";

/** A clock whose time passes only while somebody waits, and what happens then. */
function waitingClock(
  wall: string,
  whileWaiting: () => Promise<unknown> = async () => {},
): Clock & { waitedMs: number } {
  const clock = {
    waitedMs: 0,
    monotonicMs: () => clock.waitedMs,
    wallMs: () => Date.parse(wall) + clock.waitedMs,
    after: (ms: number, callback: () => void) => {
      clock.waitedMs += ms;
      void whileWaiting().then(callback);
      return () => {};
    },
  };
  return clock;
}

async function serverWith(renewals: Readonly<Record<string, string>>): Promise<FakeApiServer> {
  const server = new FakeApiServer();
  for (const [name, renewTime] of Object.entries(renewals)) {
    const spec = { holderIdentity: "x", leaseDurationSeconds: 6, renewTime };
    await server.request({ method: "POST", path: leasePath(namespace), body: { metadata: { name }, spec } });
  }
  return server;
}

function renew(server: FakeApiServer, name: string, renewTime: string): Promise<unknown> {
  const path = leasePath(namespace, name);
  return server.request({ method: "PATCH", path, body: { spec: { renewTime } }, contentType: patchTypes.merge });
}

describe("which speakers and controllers are alive", () => {
  test("leases renewed a moment ago need no second look", async () => {
    const server = await serverWith({
      "speaker-n1": "2026-01-01T00:00:00.000000Z",
      "bellhop-controller": "2026-01-01T00:00:01.000000Z",
    });
    const clock = waitingClock("2026-01-01T00:00:02Z");
    const { live, leader } = await readLeaseHolders(server, namespace, clock);
    assert.deepEqual([...live], ["n1"]);
    assert.equal(leader, "x");
    assert.equal(clock.waitedMs, 0);
  });

  test("a clock that is an hour wrong declares dead no speaker that renews its lease", async () => {
    const server = await serverWith({
      "speaker-n1": "2026-01-01T00:00:00.000000Z",
      "speaker-n2": "2026-01-01T00:00:00Z",
    });
    const clock = waitingClock("2026-01-01T01:00:00Z", () =>
      renew(server, "speaker-n1", "2026-01-01T00:00:02.000000Z"),
    );
    const { live, held, leader } = await readLeaseHolders(server, namespace, clock);
    assert.deepEqual([...live], ["n1"]);
    assert.deepEqual([...held].sort(), ["n1", "n2"]);
    assert.equal(leader, undefined);
  });

  test("a lease that is renewed rarely is observed for longer", async () => {
    const renewTime = "2026-01-01T00:00:00.000000Z";
    const server = new FakeApiServer();
    const spec = { holderIdentity: "x", leaseDurationSeconds: 40, renewTime };
    await server.request({
      method: "POST",
      path: leasePath(namespace),
      body: { metadata: { name: "speaker-n1" }, spec },
    });
    const clock = waitingClock("2026-01-01T01:00:00Z", async () => {
      if (clock.waitedMs === 10_000) await renew(server, "speaker-n1", "2026-01-01T00:00:10.000000Z");
    });
    assert.deepEqual([...(await readLeaseHolders(server, namespace, clock)).live], ["n1"]);
  });

  test("what is long gone while others renew is not waited for", async () => {
    const server = await serverWith({
      "speaker-n1": "2026-01-01T00:00:00.000000Z",
      "speaker-n2": "2025-12-01T00:00:00Z",
    });
    const clock = waitingClock("2026-01-01T00:00:02Z");
    assert.deepEqual([...(await readLeaseHolders(server, namespace, clock)).live], ["n1"]);
    assert.equal(clock.waitedMs, 0);
  });

  test("without any lease no speaker is alive", async () => {
    const { live, leader } = await readLeaseHolders(
      new FakeApiServer(),
      namespace,
      waitingClock("2026-01-01T00:00:00Z"),
    );
    assert.equal(live.size, 0);
    assert.equal(leader, undefined);
  });
});
