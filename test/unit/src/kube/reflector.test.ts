import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError, isAlreadyExists } from "../../../../src/kube/api-error.ts";
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
/* Of the reflector that `start` makes. */
let freshness: "consistent" | "cached";
let relistSpreadMs: number;
let optional: boolean;
let keepsLastView: boolean;

beforeEach(() => {
  server = new FakeApiServer();
  clock = new FakeClock();
  metrics = createKubeMetrics(createRegistry());
  aborter = new AbortController();
  changes = [];
  invalid = [];
  freshness = "consistent";
  relistSpreadMs = 0;
  optional = false;
  keepsLastView = false;
});

function createOne(): Reflector<View> {
  return createReflector<View>({
    client: server,
    freshness,
    relistSpreadMs,
    optional,
    keepsLastView,
    resource: "configmaps",
    path: "/api/v1/configmaps",
    project: (raw) => {
      const { metadata, data } = raw as { metadata: { name: string }; data?: { value?: string } };
      if (data?.value === "hidden") return undefined;
      if (data?.value === "throws") throw new Error(`${metadata.name} is poison`);
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
}

afterEach(async () => {
  aborter.abort();
  await running;
  assert.equal(clock.waiting, 0, "no timer is left behind");
});

async function start(): Promise<void> {
  reflector = createOne();
  running = reflector.run(aborter.signal);
  await settle();
}

async function put(name: string, value: string): Promise<void> {
  const body = { metadata: { name }, data: { value } };
  try {
    await server.request({ method: "POST", path, body });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await server.request({ method: "PUT", path: `${path}/${name}`, body });
  }
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

test("while the events of a whole collection are processed, other work has its turn", async () => {
  server.offersWatchList = true;
  for (let index = 0; index < 20; index++) await put(`a${index}`, "1");
  // Each look at the clock finds it later.
  let nowMs = 0;
  clock.monotonicMs = () => ++nowMs;
  reflector = createOne();
  running = reflector.run(aborter.signal);
  await nextTurn();
  assert.ok(changes.length < 20, `${changes.length} events in one turn`);
  await settle();
  assert.equal(changes.length, 20);
});

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
  assert.deepEqual(
    lists.map(({ query }) => query?.limit),
    ["100", "200", "400", "500", "500"],
  );
});

test("requests fewer objects at a time while answers are long or do not arrive, and more again afterwards", async () => {
  const large = "x".repeat(100_000);
  for (let index = 0; index < 220; index++) {
    const data = { value: index < 120 ? large : "small" };
    await server.request({ method: "POST", path, body: { metadata: { name: `n${1000 + index}` }, data } });
  }
  const limits: string[] = [];
  server.intercept = ({ query }) => {
    if (query?.limit === undefined) return;
    limits.push(query.limit);
    if (limits.length === 1) throw new BellhopError("ApiUnreachable", "no byte for 30000 ms");
  };
  await start();
  await clock.advance(5_000);
  assert.equal(reflector.views.size, 220);
  assert.deepEqual(limits, ["100", "50", "25", "25", "25", "25", "50", "100"]);
});

test("a page is never smaller than one object", async () => {
  await put("a", "1");
  server.intercept = ({ query }) => {
    if (query?.limit !== undefined) throw new ApiError(500, "InternalError", "trying to send message larger than max");
  };
  await start();
  await clock.advance(600_000);
  server.intercept = undefined;
  await clock.advance(30_000);
  assert.equal(reflector.synced, true);
  const limits = server.requests.flatMap(({ query }) => query?.limit ?? []);
  assert.equal(limits.at(-1), "1");
});

test("an object whose projection throws is invalid, and all others are followed", async () => {
  await put("a", "1");
  await put("poison", "throws");
  await put("z", "1");
  await start();
  assert.equal(reflector.synced, true);
  await put("b", "1");
  await put("z", "throws");
  await put("a", "2");
  assert.deepEqual([...reflector.views.keys()].sort(), ["default/a", "default/b"]);
  assert.deepEqual(invalid, [
    "the object could not be read: poison is poison",
    "the object could not be read: z is poison",
  ]);
  assert.equal((await metrics.invalidObjects.get()).values[0]?.value, 2);
  assert.equal(await failuresOf("unreachable"), 0);
});

test("a list from the cache is never older than what was seen, and newest of all where the cache does not have that", async () => {
  freshness = "cached";
  await put("a", "1");
  await start();
  await put("b", "1");
  const version = String(server.newestVersion);
  server.sendError(410, "Expired");
  await settle();
  server.intercept = ({ query }) => {
    if (query?.resourceVersionMatch !== undefined && query.watch === undefined) {
      throw new ApiError(504, "Timeout", "Too large resource version: 9, current: 1");
    }
  };
  await clock.advance(5_000);
  const lists = server.requests.filter(
    ({ method, path: at, query }) => method === "GET" && at === "/api/v1/configmaps" && query?.watch !== "true",
  );
  assert.deepEqual(
    lists.map(({ query }) => ({ ...query })),
    [
      { resourceVersion: "0", limit: "100" },
      { resourceVersion: version, resourceVersionMatch: "NotOlderThan" },
      { limit: "100" },
    ],
  );
  assert.equal(reflector.views.size, 2);
});

test("a list that must be consistent names no version", async () => {
  await put("a", "1");
  await start();
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(5_000);
  const lists = server.requests.filter(({ query }) => query?.limit !== undefined);
  assert.deepEqual(
    lists.map(({ query }) => query?.resourceVersion),
    [undefined, undefined],
  );
});

describe("where the API server offers WatchList", () => {
  beforeEach(() => {
    server.offersWatchList = true;
  });

  test("it lists by watching, and tells what went meanwhile", async () => {
    await put("a", "1");
    await put("b", "1");
    await start();
    assert.equal(reflector.synced, true);
    assert.notEqual(reflector.connectedSinceMs, undefined);
    await put("a", "2");
    server.intercept = () => {
      throw new BellhopError("ApiUnreachable", "down");
    };
    server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await settle();
    server.intercept = undefined;
    await remove("b");
    server.compact();
    await clock.advance(10_000);
    assert.deepEqual(changes, ["default/a=1", "default/b=1", "default/a=2", "default/b=gone"]);
    assert.deepEqual(
      server.requests.filter(({ query }) => query?.limit !== undefined),
      [],
    );
    assert.equal((await metrics.lists.get()).values[0]?.value, 2);
  });

  test("it is given up like a list when nothing comes before its end", async () => {
    await put("a", "1");
    server.offersWatchList = "without end";
    await start();
    await clock.advance(29_000);
    assert.equal(reflector.synced, false);
    await clock.advance(3_000);
    assert.equal(reflector.synced, true);
    assert.equal(await failuresOf("unreachable"), 1);
  });

  test("it is not taken for complete before its last bookmark, and continues from there", async () => {
    for (const name of ["a", "b", "c"]) await put(name, "1");
    server.offersWatchList = "without end";
    await start();
    assert.equal(reflector.synced, false);
    assert.equal(reflector.connectedSinceMs, undefined);
    server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await clock.advance(2_000);
    assert.equal(reflector.synced, true, "a list follows one that broke");
    assert.deepEqual(changes, ["default/a=1", "default/b=1", "default/c=1"]);
  });
});

test("WatchList is requested once from an API server that does not offer it, and that is not a failure", async () => {
  await start();
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(5_000);
  const asked = server.requests.filter(({ query }) => query?.sendInitialEvents === "true");
  assert.equal(asked.length, 1);
  assert.equal(await failuresOf("list_refused"), 0);
});

test("programs that all have to list again do so one after the other", async () => {
  relistSpreadMs = 8_000;
  await start();
  const listsOf = (): number => server.requests.filter(({ query }) => query?.limit !== undefined).length;
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(4_000);
  assert.equal(listsOf(), 1);
  await clock.advance(1_000);
  assert.equal(listsOf(), 2);
});

test("a collection that an API server does not know counts as heard of", async () => {
  optional = true;
  server.intercept = ({ query }) => {
    if (query?.sendInitialEvents === undefined)
      throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  };
  await start();
  await clock.advance(300_000);
  assert.ok((reflector.lastHeardMs ?? 0) > clock.monotonicMs() - 61_000);
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

test("continues from the last bookmark, without another list", async () => {
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

test("an ERROR event 410 relists; after any other the watch continues from the same version", async () => {
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

test("on request an object that no longer parses keeps its last view, over a new list too, until it is deleted", async () => {
  keepsLastView = true;
  await put("a", "1");
  await put("new", "broken");
  await start();
  await put("a", "broken");
  server.sendError(410, "Expired");
  await settle();
  await clock.advance(2_000);
  assert.deepEqual([...reflector.views.values()], [{ name: "a", value: "1" }]);
  assert.equal((await metrics.invalidObjects.get()).values[0]?.value, 2);
  assert.deepEqual(changes, ["default/a=1"]);
  await put("a", "2");
  await put("a", "broken");
  await remove("a");
  assert.deepEqual(changes, ["default/a=1", "default/a=2", "default/a=gone"]);
  assert.equal((await metrics.invalidObjects.get()).values[0]?.value, 1);
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
