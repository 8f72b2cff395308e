import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { useReflector } from "./use-reflector.ts";

const watched = useReflector();

test("after a gap longer than the server's memory it tells what changed, came and went", async () => {
  await watched.put("stays", "1");
  await watched.put("changes", "1");
  await watched.put("goes", "1");
  await watched.start();
  watched.changes.length = 0;
  watched.server.intercept = () => {
    throw new BellhopError("ApiUnreachable", "down");
  };
  watched.server.endWatches(new BellhopError("ApiUnreachable", "cut"));
  await settle();
  assert.equal(watched.reflector.connectedSinceMs, undefined);
  watched.server.intercept = undefined;
  await watched.put("changes", "2");
  await watched.put("comes", "1");
  await watched.remove("goes");
  watched.server.compact();
  await watched.clock.advance(5_000);
  assert.deepEqual(watched.changes.sort(), ["default/changes=2", "default/comes=1", "default/goes=gone"]);
  assert.equal(await watched.failuresOf("unreachable"), 1);
  assert.equal(await watched.failuresOf("expired"), 1);
});

test("continues from the last bookmark, without another list", async () => {
  await watched.start();
  await watched.put("a", "1");
  await watched.server.request({
    method: "POST",
    path: "/api/v1/namespaces/default/secrets",
    body: { metadata: { name: "x" } },
  });
  watched.server.sendBookmarks();
  await settle();
  watched.server.compact();
  await watched.clock.advance(400_000);
  watched.server.endWatches();
  await settle();
  await watched.put("b", "1");
  assert.deepEqual(watched.changes, ["default/a=1", "default/b=1"]);
  assert.equal((await watched.metrics.lists.get()).values[0]?.value, 1);
});

test("an ERROR event 410 relists; after any other the watch continues from the same version", async () => {
  await watched.put("a", "1");
  await watched.start();
  watched.server.sendError(500, "InternalError");
  await settle();
  await watched.clock.advance(2_000);
  assert.equal((await watched.metrics.lists.get()).values[0]?.value, 1);
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(5_000);
  assert.equal((await watched.metrics.lists.get()).values[0]?.value, 2);
  assert.deepEqual(watched.changes, ["default/a=1"]);
});

test("waits as long as Retry-After asks", async () => {
  watched.server.intercept = () => {
    throw new ApiError(429, "TooManyRequests", "slow down", 20_000);
  };
  await watched.start();
  await watched.clock.advance(19_000);
  assert.equal(watched.server.requests.length, 1);
  watched.server.intercept = undefined;
  await watched.clock.advance(2_000);
  assert.equal(watched.reflector.synced, true);
});

test("a server that closes each watch at once is not stormed", async () => {
  await watched.start();
  for (let second = 0; second < 60; second++) {
    watched.server.endWatches();
    await watched.clock.advance(1_000);
  }
  const watches = watched.server.requests.filter((request) => request.query?.watch === "true").length;
  assert.ok(watches < 12, `${watches} watches within a minute`);
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h breaks no watch and changes no wait; only the metric for people tells the new time`, async () => {
    await watched.start();
    const { connectedSinceMs } = watched.reflector;
    watched.clock.stepWall(hours * 3_600_000);
    await watched.put("a", "1");
    assert.deepEqual(watched.changes, ["default/a=1"]);
    assert.equal(watched.reflector.connectedSinceMs, connectedSinceMs);
    const { values } = await watched.metrics.lastHeard.get();
    assert.equal(values[0]?.value, watched.clock.wallMs() / 1000);
    await watched.clock.advance(2_000);
    const before = watched.server.requests.length;
    watched.server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await settle();
    watched.clock.stepWall(hours * 3_600_000);
    await watched.clock.advance(500);
    assert.equal(watched.server.requests.length, before);
    await watched.clock.advance(300);
    assert.equal(watched.server.requests.length, before + 1);
  });
}
