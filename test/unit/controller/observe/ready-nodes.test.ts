import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadyNodes } from "../../../../controller/observe/ready-nodes.ts";

test("nodes with ready endpoints are known by Service, slice by slice", () => {
  const ready = new ReadyNodes();
  const nodesOf = (service: string): readonly string[] => [...ready.of(service)].sort();
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n1", "n2"] }), ["web"]);
  assert.deepEqual(ready.put("web-2", { serviceKey: "web", nodes: ["n3"] }), ["web"]);
  assert.deepEqual(nodesOf("web"), ["n1", "n2", "n3"]);
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n1", "n2"] }), []);
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n2"] }), ["web"]);
  assert.deepEqual(nodesOf("web"), ["n2", "n3"]);
  assert.deepEqual(ready.put("web-1", undefined), ["web"]);
  assert.deepEqual(ready.put("web-2", undefined), ["web"]);
  assert.deepEqual(ready.put("web-2", undefined), []);
  assert.deepEqual(nodesOf("web"), []);
});

test("a slice whose label names another Service goes to that one, also with the same nodes", () => {
  const ready = new ReadyNodes();
  ready.put("slice", { serviceKey: "web", nodes: ["n1"] });
  assert.deepEqual(ready.put("slice", { serviceKey: "api", nodes: ["n1"] }), ["web", "api"]);
  assert.deepEqual([...ready.of("web")], []);
  assert.deepEqual([...ready.of("api")], ["n1"]);
});
