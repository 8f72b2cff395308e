import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { path, useReflector } from "./use-reflector.ts";

const watched = useReflector();

test("pages through long lists", async () => {
  for (let index = 0; index < 1203; index++) {
    await watched.server.request({ method: "POST", path, body: { metadata: { name: `n${index}` } } });
  }
  await watched.start();
  assert.equal(watched.reflector.views.size, 1203);
  const lists = watched.server.requests.filter(
    (request) => request.method === "GET" && request.query?.watch === undefined,
  );
  assert.deepEqual(
    lists.map(({ query }) => query?.limit),
    ["100", "200", "400", "500", "500"],
  );
});

test("requests fewer objects at a time while answers are long or do not arrive, and more again afterwards", async () => {
  const large = "x".repeat(100_000);
  for (let index = 0; index < 220; index++) {
    const data = { value: index < 120 ? large : "small" };
    await watched.server.request({ method: "POST", path, body: { metadata: { name: `n${1000 + index}` }, data } });
  }
  const limits: string[] = [];
  watched.server.intercept = ({ query }) => {
    if (query?.limit === undefined) return;
    limits.push(query.limit);
    if (limits.length === 1) throw new BellhopError("ApiUnreachable", "no byte for 30000 ms");
  };
  await watched.start();
  await watched.clock.advance(5_000);
  assert.equal(watched.reflector.views.size, 220);
  assert.deepEqual(limits, ["100", "50", "25", "25", "25", "25", "50", "100"]);
});

test("a page is never smaller than one object", async () => {
  await watched.put("a", "1");
  watched.server.intercept = ({ query }) => {
    if (query?.limit !== undefined) throw new ApiError(500, "InternalError", "trying to send message larger than max");
  };
  await watched.start();
  await watched.clock.advance(600_000);
  watched.server.intercept = undefined;
  await watched.clock.advance(30_000);
  assert.equal(watched.reflector.synced, true);
  const limits = watched.server.requests.flatMap(({ query }) => query?.limit ?? []);
  assert.equal(limits.at(-1), "1");
});

test("a list from the cache is never older than what was seen, and newest of all where the cache does not have that", async () => {
  watched.freshness = "cached";
  await watched.put("a", "1");
  await watched.start();
  await watched.put("b", "1");
  const version = String(watched.server.newestVersion);
  watched.server.sendError(410, "Expired");
  await settle();
  watched.server.intercept = ({ query }) => {
    if (query?.resourceVersionMatch !== undefined && query.watch === undefined) {
      throw new ApiError(504, "Timeout", "Too large resource version: 9, current: 1");
    }
  };
  await watched.clock.advance(5_000);
  const lists = watched.server.requests.filter(
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
  assert.equal(watched.reflector.views.size, 2);
});

test("a list that must be consistent names no version", async () => {
  await watched.put("a", "1");
  await watched.start();
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(5_000);
  const lists = watched.server.requests.filter(({ query }) => query?.limit !== undefined);
  assert.deepEqual(
    lists.map(({ query }) => query?.resourceVersion),
    [undefined, undefined],
  );
});

test("programs that all have to list again do so one after the other", async () => {
  watched.relistSpreadMs = 8_000;
  await watched.start();
  const listsOf = (): number => watched.server.requests.filter(({ query }) => query?.limit !== undefined).length;
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(4_000);
  assert.equal(listsOf(), 1);
  await watched.clock.advance(1_000);
  assert.equal(listsOf(), 2);
});

test("a version that expires between pages starts the list again and loses nothing", async () => {
  for (let index = 0; index < 700; index++) {
    await watched.server.request({ method: "POST", path, body: { metadata: { name: `n${index}` } } });
  }
  let pages = 0;
  watched.server.intercept = async (request) => {
    if (request.query?.limit === undefined || ++pages !== 2) return;
    await watched.server.request({ method: "DELETE", path: `${path}/n0` });
    watched.server.compact();
  };
  await watched.start();
  await watched.clock.advance(2_000);
  assert.equal(await watched.failuresOf("expired"), 1);
  assert.equal(watched.reflector.views.size, 699);
  assert.equal(watched.reflector.views.has("default/n0"), false);
});

describe("where the API server offers WatchList", () => {
  beforeEach(() => {
    watched.server.offersWatchList = true;
  });

  test("it lists by watching, and tells what went meanwhile", async () => {
    await watched.put("a", "1");
    await watched.put("b", "1");
    await watched.start();
    assert.equal(watched.reflector.synced, true);
    assert.notEqual(watched.reflector.connectedSinceMs, undefined);
    await watched.put("a", "2");
    watched.server.intercept = () => {
      throw new BellhopError("ApiUnreachable", "down");
    };
    watched.server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await settle();
    watched.server.intercept = undefined;
    await watched.remove("b");
    watched.server.compact();
    await watched.clock.advance(10_000);
    assert.deepEqual(watched.changes, ["default/a=1", "default/b=1", "default/a=2", "default/b=gone"]);
    assert.deepEqual(
      watched.server.requests.filter(({ query }) => query?.limit !== undefined),
      [],
    );
    assert.equal((await watched.metrics.lists.get()).values[0]?.value, 2);
  });

  test("it is given up like a list when nothing comes before its end", async () => {
    await watched.put("a", "1");
    watched.server.offersWatchList = "without end";
    await watched.start();
    await watched.clock.advance(29_000);
    assert.equal(watched.reflector.synced, false);
    await watched.clock.advance(3_000);
    assert.equal(watched.reflector.synced, true);
    assert.equal(await watched.failuresOf("unreachable"), 1);
  });

  test("it is not taken for complete before its last bookmark, and continues from there", async () => {
    for (const name of ["a", "b", "c"]) await watched.put(name, "1");
    watched.server.offersWatchList = "without end";
    await watched.start();
    assert.equal(watched.reflector.synced, false);
    assert.equal(watched.reflector.connectedSinceMs, undefined);
    watched.server.endWatches(new BellhopError("ApiUnreachable", "cut"));
    await watched.clock.advance(2_000);
    assert.equal(watched.reflector.synced, true, "a list follows one that broke");
    assert.deepEqual(watched.changes, ["default/a=1", "default/b=1", "default/c=1"]);
  });
});

test("WatchList is requested once from an API server that does not offer it, and that is not a failure", async () => {
  await watched.start();
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(5_000);
  const asked = watched.server.requests.filter(({ query }) => query?.sendInitialEvents === "true");
  assert.equal(asked.length, 1);
  assert.equal(await watched.failuresOf("list_refused"), 0);
});
