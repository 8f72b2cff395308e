import assert from "node:assert/strict";
import { test } from "node:test";
import { byNodePort, endpoint, FakeNode, port, service, slice, vip, where } from "./fake-node.ts";
import { pods } from "./web-pods.ts";

test("under externalTrafficPolicy Local only this node's pods are used, on both ways", async () => {
  const fakeNode = new FakeNode();
  const view = service({
    ...byNodePort,
    externalTrafficPolicy: "Local",
    ports: [pods, port({ name: "tls", port: 443, nodePort: 30443 })],
  });
  const both = [
    { name: "", protocol: "TCP", port: 8080 },
    { name: "tls", protocol: "TCP", port: 8443 },
  ] as const;
  await fakeNode.put(view, [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")], { ports: both })]);
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.244.1.2 8080");
  assert.equal(where(fakeNode.send(vip, { port: 443 })), "local 172.30.0.11 30443");
  await fakeNode.put(view, [slice([endpoint("10.244.2.2", "n2")], { ports: both })]);
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.9.9.9 80");
  // At the node port, too, kube-proxy drops new connections and continues those that it knows.
  assert.equal(where(fakeNode.send(vip, { port: 443 })), "local 172.30.0.11 30443");
});

test("an endpoint without a node is never local", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [slice([{ ...endpoint("10.0.0.7"), nodeName: undefined }])]);
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.0.0.7 8080 masqueraded");
});
