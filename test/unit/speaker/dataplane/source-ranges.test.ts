import assert from "node:assert/strict";
import { test } from "node:test";
import { byNodePort, FakeNode, service, vip, vip6, where } from "./fake-node.ts";
import { local, local6, pods } from "./web-pods.ts";

test("source ranges hold on every way, for every client, and per family", async () => {
  for (const change of [{}, byNodePort, { ports: [pods] }]) {
    const fakeNode = new FakeNode();
    await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
    await fakeNode.kubeProxy("ip6", { address: vip6 }, { address: "fd09::9" });
    const view = service({ ...change, sourceRanges: ["192.0.2.0/25", "192.0.2.64/26", "198.51.100.7/32"] });
    await fakeNode.put(view, [local, local6]);
    assert.notEqual(fakeNode.send(vip, { source: "192.0.2.99" }).end, "dropped");
    assert.notEqual(fakeNode.send(vip, { source: "198.51.100.7" }).end, "dropped");
    assert.equal(where(fakeNode.send(vip, { source: "192.0.2.128" })), "dropped in check_source_ranges");
    assert.equal(where(fakeNode.send(vip, { source: "10.244.1.9", from: "cni0" })), "dropped in check_source_ranges");
    assert.notEqual(fakeNode.send(vip6).end, "dropped", "a family without a range is open");
    const open = fakeNode.send(vip, { source: "192.0.2.128", state: "established" });
    assert.notEqual(where(open), "dropped in check_source_ranges", "open connections continue");
  }
});

test("source ranges of a rewritten port do not hold for the plain node port", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ...byNodePort, sourceRanges: ["192.0.2.0/25"] }), [local]);
  assert.equal(where(fakeNode.send(vip, { source: "192.0.2.128" })), "dropped in check_source_ranges");
  const plain = fakeNode.send("172.30.0.11", { source: "192.0.2.128", port: 30080 });
  assert.equal(where(plain), "local 172.30.0.11 30080");
});

test("source ranges that cannot be read close the family that they look like", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods], sourceRanges: ["192.0.2.0/33"] }), [local, local6]);
  assert.equal(where(fakeNode.send(vip)), "dropped in check_source_ranges");
  assert.notEqual(fakeNode.send(vip6).end, "dropped");
  await fakeNode.put(service({ ports: [pods], sourceRanges: ["everyone", "0.0.0.0/0"] }), [local, local6]);
  assert.notEqual(fakeNode.send(vip).end, "dropped");
  assert.equal(where(fakeNode.send(vip6)), "dropped in check_source_ranges");
});
