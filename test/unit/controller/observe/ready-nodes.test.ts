import assert from "node:assert/strict";
import { test } from "node:test";
import { projectReadyNodes, ReadyNodes } from "../../../../controller/observe/ready-nodes.ts";

test("nodes with ready endpoints are known by Service, slice by slice", () => {
  const ready = new ReadyNodes();
  const nodesOf = (service: string): readonly string[] => [...ready.of(service)].sort();
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n1", "n2"], draining: [] }), ["web"]);
  assert.deepEqual(ready.put("web-2", { serviceKey: "web", nodes: ["n3"], draining: [] }), ["web"]);
  assert.deepEqual(nodesOf("web"), ["n1", "n2", "n3"]);
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n1", "n2"], draining: [] }), []);
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: ["n2"], draining: [] }), ["web"]);
  assert.deepEqual(nodesOf("web"), ["n2", "n3"]);
  assert.deepEqual(ready.put("web-1", undefined), ["web"]);
  assert.deepEqual(ready.put("web-2", undefined), ["web"]);
  assert.deepEqual(ready.put("web-2", undefined), []);
  assert.deepEqual(nodesOf("web"), []);
});

test("a slice whose label names another Service goes to that one, also with the same nodes", () => {
  const ready = new ReadyNodes();
  ready.put("slice", { serviceKey: "web", nodes: ["n1"], draining: [] });
  assert.deepEqual(ready.put("slice", { serviceKey: "api", nodes: ["n1"], draining: [] }), ["web", "api"]);
  assert.deepEqual([...ready.of("web")], []);
  assert.deepEqual([...ready.of("api")], ["n1"]);
});

test("while no endpoint is ready, nodes whose endpoints terminate and still serve take the connections", () => {
  const ready = new ReadyNodes();
  const taking = (): readonly string[] => [...ready.takingConnections("web")].sort();
  ready.put("web-1", { serviceKey: "web", nodes: ["n1"], draining: ["n2"] });
  ready.put("web-2", { serviceKey: "web", nodes: [], draining: ["n3"] });
  assert.deepEqual(taking(), ["n1"]);
  assert.deepEqual(ready.put("web-1", { serviceKey: "web", nodes: [], draining: ["n1", "n2"] }), ["web"]);
  assert.deepEqual(taking(), ["n1", "n2", "n3"]);
  assert.deepEqual([...ready.of("web")], []);
  assert.deepEqual(ready.put("web-1", undefined), ["web"]);
  assert.deepEqual(taking(), ["n3"]);
});

const endpointCases: readonly {
  readonly name: string;
  readonly conditions: Record<string, boolean> | undefined;
  readonly kept?: "nodes" | "draining";
}[] = [
  { name: "without conditions is ready", conditions: undefined, kept: "nodes" },
  { name: "that is ready", conditions: { ready: true, serving: true, terminating: false }, kept: "nodes" },
  { name: "that is not ready", conditions: { ready: false, serving: false, terminating: false } },
  {
    name: "that terminates and serves",
    conditions: { ready: false, serving: true, terminating: true },
    kept: "draining",
  },
  { name: "that terminates and no longer serves", conditions: { ready: false, serving: false, terminating: true } },
  {
    name: "that terminates, of a Service that publishes addresses that are not ready",
    conditions: { ready: true, serving: true, terminating: true },
    kept: "nodes",
  },
];
for (const { name, conditions, kept } of endpointCases) {
  test(`an endpoint ${name}: ${kept ?? "not kept"}`, () => {
    const endpoint = { addresses: ["10.0.0.1"], nodeName: "n1", ...(conditions === undefined ? {} : { conditions }) };
    const labels = { "kubernetes.io/service-name": "web" };
    const view = projectReadyNodes({
      metadata: { namespace: "default", labels },
      addressType: "IPv4",
      endpoints: [endpoint],
    });
    assert.deepEqual(view?.nodes ?? [], kept === "nodes" ? ["n1"] : []);
    assert.deepEqual(view?.draining ?? [], kept === "draining" ? ["n1"] : []);
  });
}
