import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { createKubeMetrics, type KubeMetrics } from "../../../../src/kube/metrics.ts";
import { createReflector, type Reflector } from "../../../../src/kube/reflector.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

const path = "/api/v1/namespaces/default/configmaps";

interface View {
  readonly name: string;
  readonly value: string;
}

let server: FakeApiServer;
let clock: FakeClock;
let metrics: KubeMetrics;
let aborter: AbortController;
let reflector: Reflector<View>;
let changes: string[];
let invalid: string[];
let running: Promise<void>;

beforeEach(() => {
  server = new FakeApiServer();
  clock = new FakeClock();
  metrics = createKubeMetrics(createRegistry());
  aborter = new AbortController();
  changes = [];
  invalid = [];
  reflector = createReflector<View>({
    client: server,
    resource: "configmaps",
    path: "/api/v1/configmaps",
    project: (raw) => {
      const { metadata, data } = raw as { metadata: { name: string }; data?: { value?: string } };
      if (data?.value === "hidden") return undefined;
      if (data?.value === "broken") return new InvalidObject(`data.value of ${metadata.name} is broken`);
      return { name: metadata.name, value: data?.value ?? "" };
    },
    onChange: (key) => changes.push(`${key}=${reflector.views.get(key)?.value ?? "gone"}`),
    onInvalid: (_key, fault) => invalid.push(fault?.message ?? "forgiven"),
    clock,
    random: () => 0.5,
    log: silentLogger,
    metrics,
  });
});

afterEach(async () => {
  aborter.abort();
  await running;
  assert.equal(clock.waiting, 0, "no timer is left behind");
});

async function start(): Promise<void> {
  running = reflector.run(aborter.signal);
  await settle();
}

async function put(name: string, value: string): Promise<void> {
  const exists = reflector.views.has(`default/${name}`) || invalid.length > 0;
  const body = { metadata: { name }, data: { value } };
  if (exists) await server.request({ method: "PUT", path: `${path}/${name}`, body });
  else await server.request({ method: "POST", path, body });
  await settle();
}

async function remove(name: string): Promise<void> {
  await server.request({ method: "DELETE", path: `${path}/${name}` });
  await settle();
}

async function failuresOf(kind: string): Promise<number> {
  const { values } = await metrics.watchFailures.get();
  return values.find((value) => value.labels.kind === kind)?.value ?? 0;
}

test("lists, then follows every change, and tells only keys", async () => {
  await put("a", "1");
  await start();
  assert.equal(reflector.synced, true);
  await put("b", "1");
  await put("a", "2");
  await remove("b");
  assert.deepEqual(changes, ["default/a=1", "default/b=1", "default/a=2", "default/b=gone"]);
});

test("pages through long lists", async () => {
  for (let index = 0; index < 1203; index++) {
    await server.request({ method: "POST", path, body: { metadata: { name: `n${index}` } } });
  }
  await start();
  assert.equal(reflector.views.size, 1203);
  const lists = server.requests.filter((request) => request.method === "GET" && request.query?.watch === undefined);
  assert.equal(lists.length, 3);
});

test("a version that expires between pages starts the list again and loses nothing", async () => {
  for (let index = 0; index < 700; index++) {
    await server.request({ method: "POST", path, body: { metadata: { name: `n${index}` } } });
  }
  let pages = 0;
  server.intercept = async (request) => {
    if (request.query?.limit === undefined || ++pages !== 2) return;
    await server.request({ method: "DELETE", path: `${path}/n0` });
    server.compact();
  };
  await start();
  await clock.advance(2_000);
  assert.equal(await failuresOf("expired"), 1);
  assert.equal(reflector.views.size, 699);
  assert.equal(reflector.views.has("default/n0"), false);
});

test("after a gap longer than the server's memory it tells what changed, came and went", async () => {
  await put("stays", "1");
  await put("changes", "1");
  await put("goes", "1");
  await start();
  changes.length = 0;
  server.intercept = () => {
    throw new BellhopError("ApiUnreachable", "down");
  };
  server.endWatches(new BellhopError("ApiUnreachable", "cut"));
  await settle();
  assert.equal(reflector.connectedSinceMs, undefined);
  server.intercept = undefined;
  await put("changes", "2");
  await put("comes", "1");
  await remove("goes");
  server.compact();
  await clock.advance(5_000);
  assert.deepEqual(changes.sort(), ["default/changes=2", "default/comes=1", "default/goes=gone"]);
  assert.equal(await failuresOf("unreachable"), 1);
  assert.equal(await failuresOf("expired"), 1);
});

test("goes on from the last bookmark, without another list", async () => {
  await start();
  await put("a", "1");
  await server.request({
    method: "POST",
    path: "/api/v1/namespaces/default/secrets",
    body: { metadata: { name: "x" } },
  });
  server.sendBookmarks();
  await settle();
  server.compact();
  await clock.advance(400_000);
  server.endWatches();
  await settle();
  await put("b", "1");
  assert.deepEqual(changes, ["default/a=1", "default/b=1"]);
  assert.equal((await metrics.lists.get()).values[0]?.value, 1);
});

test("an ERROR event 410 relists; any other goes on from the same version", async () => {
  await put("a", "1");
  await start();
  server.sendError(500, "InternalError");
  await settle();
  await clock.advance(2_000);
  assert.equal((await metrics.lists.get()).values[0]?.value, 1);
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(5_000);
  assert.equal((await metrics.lists.get()).values[0]?.value, 2);
  assert.deepEqual(changes, ["default/a=1"]);
});

test("waits as long as Retry-After asks", async () => {
  server.intercept = () => {
    throw new ApiError(429, "TooManyRequests", "slow down", 20_000);
  };
  await start();
  await clock.advance(19_000);
  assert.equal(server.requests.length, 1);
  server.intercept = undefined;
  await clock.advance(2_000);
  assert.equal(reflector.synced, true);
});

test("a server that closes each watch at once is not stormed", async () => {
  await start();
  for (let second = 0; second < 60; second++) {
    server.endWatches();
    await clock.advance(1_000);
  }
  const watches = server.requests.filter((request) => request.query?.watch === "true").length;
  assert.ok(watches < 12, `${watches} watches within a minute`);
});

test("an object that does not parse is left out and reported once, and comes back when it is corrected", async () => {
  await put("a", "1");
  await start();
  await put("a", "broken");
  assert.equal(reflector.views.has("default/a"), false);
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(2_000);
  assert.deepEqual(invalid, ["data.value of a is broken"]);
  await put("a", "2");
  assert.deepEqual(invalid, ["data.value of a is broken", "forgiven"]);
  assert.deepEqual(changes, ["default/a=1", "default/a=gone", "default/a=2"]);
});

test("keeps no view of what project leaves out", async () => {
  await put("a", "1");
  await start();
  await put("a", "hidden");
  assert.deepEqual(changes, ["default/a=1", "default/a=gone"]);
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h breaks no watch and changes no wait; only the metric for people tells the new time`, async () => {
    await start();
    const { connectedSinceMs } = reflector;
    clock.stepWall(hours * 3_600_000);
    await put("a", "1");
    assert.deepEqual(changes, ["default/a=1"]);
    assert.equal(reflector.connectedSinceMs, connectedSinceMs);
    const { values } = await metrics.lastHeard.get();
    assert.equal(values[0]?.value, clock.wallMs() / 1000);
    await clock.advance(2_000);
    const before = server.requests.length;
    server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await settle();
    clock.stepWall(hours * 3_600_000);
    await clock.advance(500);
    assert.equal(server.requests.length, before);
    await clock.advance(300);
    assert.equal(server.requests.length, before + 1);
  });
}
