import assert from "node:assert/strict";
import { test } from "node:test";
import { turnMs, turnOf } from "../../../../src/clock/turn.ts";
import { byNodePort, endpoint, FakeNode, port, service, settings, slice, vip } from "./fake-node.ts";
import { local, pods, remote } from "./web-pods.ts";

const udpPods = port({ protocol: "UDP", port: 53, nodePort: 0 });
const udpSlice = (...hosts: readonly number[]) =>
  slice(
    hosts.map((host) => endpoint(`10.244.1.${host}`)),
    { ports: [{ name: "", protocol: "UDP", port: 5353 }] },
  );
const flow = (destinationPort: number, replySource: string, replySourcePort = 5353, destination = vip) => ({
  destination,
  destinationPort,
  replySource,
  replySourcePort,
});

test("UDP flows that were there before the rules, or whose pod is gone, are deleted, and no others", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(53, "10.244.1.3"), flow(53, "10.1.1.1", 53, "192.0.2.77")];
  fakeNode.conntrack.flows = [...kept, flow(53, vip, 53), flow(54, "10.244.1.9")];
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2, 3)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
  fakeNode.conntrack.flows.push(flow(53, "10.244.1.2"));
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(3, 4)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
  fakeNode.dataplane.setService("default/web", []);
  await fakeNode.dataplane.apply(settings);
  assert.deepEqual(fakeNode.conntrack.flows, kept.slice(1));
});

test("UDP flows to a Service that is deleted with the last one of ipMode Proxy, for which the table is replaced, are deleted", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2)], [vip]);
  const other = { key: "default/other", ingress: [{ ip: "192.0.2.201", ipMode: "Proxy", ports: [] }], ports: [port()] };
  await fakeNode.put(service({ ...byNodePort, ...other }), [slice([endpoint("10.244.1.5")])], ["192.0.2.201"]);
  await fakeNode.put(service({ key: "default/third" }), [slice([endpoint("10.244.1.6")])], ["192.0.2.202"]);
  const kept = [flow(53, "10.244.1.2", 5353, "192.0.2.77")];
  fakeNode.conntrack.flows = [...kept, flow(53, "10.244.1.2")];
  fakeNode.dataplane.setService("default/web", []);
  fakeNode.dataplane.setService("default/other", []);
  await fakeNode.dataplane.apply(settings);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows to a node port that ended at the node itself are deleted, and kube-proxy's are left to it", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(30053, "10.244.9.9", 5353, "172.30.0.11")];
  fakeNode.conntrack.flows = [...kept, flow(30053, "172.30.0.11", 30053, "172.30.0.11")];
  await fakeNode.put(service({ ...byNodePort, ports: [{ ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows that kube-proxy translates are left to it, and those that it did not know are deleted", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(53, "10.244.9.9")];
  fakeNode.conntrack.flows = [...kept, flow(53, vip, 53)];
  await fakeNode.put(service({ ports: [{ ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows that begin after their Service is gone, because kube-proxy is late, are deleted later", async () => {
  for (const nodePort of [0, 30053]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports: [{ ...udpPods, nodePort }] }), [udpSlice(2)], [vip]);
    await fakeNode.clock.advance(120_000);
    fakeNode.dataplane.setService("default/web", []);
    await fakeNode.dataplane.apply(settings);
    for (const waitMs of [5_000, 55_000]) {
      fakeNode.conntrack.flows = [flow(53, "10.244.1.2")];
      await fakeNode.clock.advance(waitMs);
      assert.deepEqual(fakeNode.conntrack.flows, []);
    }
  }
});

test("UDP flows to a port that is gone are deleted, also those that begin while kube-proxy is late", async () => {
  const fakeNode = new FakeNode();
  const other = { ...udpPods, name: "other", port: 54, nodePort: 30054 };
  await fakeNode.put(service({ ports: [other, { ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  fakeNode.conntrack.flows = [flow(53, "10.244.1.2"), flow(54, "10.244.1.2")];
  await fakeNode.put(service({ ports: [other] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(54, "10.244.1.2")]);
  fakeNode.conntrack.flows.push(flow(53, "10.244.1.2"));
  await fakeNode.clock.advance(5_000);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(54, "10.244.1.2")]);
});

test("UDP flows to the pods of the Service that had the address before do not reach them through the next one", async () => {
  const fakeNode = new FakeNode();
  fakeNode.conntrack.flows = [flow(53, "10.244.7.7"), flow(53, "10.244.7.7", 5353, "192.0.2.201")];
  await fakeNode.put(service({ key: "default/next" }), [local], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(53, "10.244.7.7", 5353, "192.0.2.201")]);
});

test("on a shared address the UDP ports of each Service are served", async () => {
  const fakeNode = new FakeNode();
  fakeNode.conntrack.flows = [flow(53, "10.244.1.2"), flow(54, "10.244.1.2")];
  const kept = [...fakeNode.conntrack.flows];
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2)], [vip]);
  fakeNode.conntrack.flows = [...kept];
  await fakeNode.put(service({ key: "default/b", ports: [{ ...udpPods, port: 54 }] }), [udpSlice(2)], [vip]);
  await fakeNode.clock.advance(60_000);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("for TCP connection tracking is searched only when an address comes or goes", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(), [local]);
  await fakeNode.clock.advance(60_000);
  const before = fakeNode.conntrack.searches;
  await fakeNode.put(service({ ports: [pods] }), [local, remote]);
  await fakeNode.clock.advance(60_000);
  assert.equal(fakeNode.conntrack.searches, before);
});

test("a write that has kept the event loop for long ends before flows are looked for", async () => {
  const fakeNode = new FakeNode();
  assert.equal(turnOf(fakeNode.clock).over, false);
  fakeNode.clock.stall(turnMs);
  const { newAddresses } = await fakeNode.put(service(), [local], [vip]);
  assert.deepEqual([newAddresses, fakeNode.conntrack.searches], [[vip], 0]);
  await fakeNode.clock.advance(0);
  assert.equal(fakeNode.conntrack.searches, 1);
});
