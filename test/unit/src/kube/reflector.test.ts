import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { settle } from "../../../../src/clock/fake.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { useReflector } from "./use-reflector.ts";

const watched = useReflector();

test("lists, then follows every change, and tells only keys", async () => {
  await watched.put("a", "1");
  await watched.start();
  assert.equal(watched.reflector.synced, true);
  await watched.put("b", "1");
  await watched.put("a", "2");
  await watched.remove("b");
  assert.deepEqual(watched.changes, ["default/a=1", "default/b=1", "default/a=2", "default/b=gone"]);
});

test("while the events of a whole collection are processed, other work has its turn", async () => {
  watched.server.offersWatchList = true;
  for (let index = 0; index < 20; index++) await watched.put(`a${index}`, "1");
  // Each look at the clock finds it later.
  let nowMs = 0;
  watched.clock.monotonicMs = () => ++nowMs;
  watched.reflector = watched.createOne();
  watched.running = watched.reflector.run(watched.aborter.signal);
  await nextTurn();
  assert.ok(watched.changes.length < 20, `${watched.changes.length} events in one turn`);
  await settle();
  assert.equal(watched.changes.length, 20);
});

test("an object whose projection throws is invalid, and all others are followed", async () => {
  await watched.put("a", "1");
  await watched.put("poison", "throws");
  await watched.put("z", "1");
  await watched.start();
  assert.equal(watched.reflector.synced, true);
  await watched.put("b", "1");
  await watched.put("z", "throws");
  await watched.put("a", "2");
  assert.deepEqual([...watched.reflector.views.keys()].sort(), ["default/a", "default/b"]);
  assert.deepEqual(watched.invalid, [
    "the object could not be read: poison is poison",
    "the object could not be read: z is poison",
  ]);
  assert.equal((await watched.metrics.invalidObjects.get()).values[0]?.value, 2);
  assert.equal(await watched.failuresOf("unreachable"), 0);
});

test("an object that does not parse is left out and reported once, and comes back when it is corrected", async () => {
  await watched.put("a", "1");
  await watched.start();
  await watched.put("a", "broken");
  assert.equal(watched.reflector.views.has("default/a"), false);
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(2_000);
  assert.deepEqual(watched.invalid, ["data.value of a is broken"]);
  await watched.put("a", "2");
  assert.deepEqual(watched.invalid, ["data.value of a is broken", "forgiven"]);
  assert.deepEqual(watched.changes, ["default/a=1", "default/a=gone", "default/a=2"]);
});

test("on request an object that no longer parses keeps its last view, over a new list too, until it is deleted", async () => {
  watched.keepsLastView = true;
  await watched.put("a", "1");
  await watched.put("new", "broken");
  await watched.start();
  await watched.put("a", "broken");
  watched.server.sendError(410, "Expired");
  await settle();
  await watched.clock.advance(2_000);
  assert.deepEqual([...watched.reflector.views.values()], [{ name: "a", value: "1" }]);
  assert.equal((await watched.metrics.invalidObjects.get()).values[0]?.value, 2);
  assert.deepEqual(watched.changes, ["default/a=1"]);
  await watched.put("a", "2");
  await watched.put("a", "broken");
  await watched.remove("a");
  assert.deepEqual(watched.changes, ["default/a=1", "default/a=2", "default/a=gone"]);
  assert.equal((await watched.metrics.invalidObjects.get()).values[0]?.value, 1);
});

test("keeps no view of what project leaves out", async () => {
  await watched.put("a", "1");
  await watched.start();
  await watched.put("a", "hidden");
  assert.deepEqual(watched.changes, ["default/a=1", "default/a=gone"]);
});

test("a collection that an API server does not know counts as heard of", async () => {
  watched.optional = true;
  watched.server.intercept = ({ query }) => {
    if (query?.sendInitialEvents === undefined)
      throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  };
  await watched.start();
  await watched.clock.advance(300_000);
  assert.ok((watched.reflector.lastHeardMs ?? 0) > watched.clock.monotonicMs() - 61_000);
});
