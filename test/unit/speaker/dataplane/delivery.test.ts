import assert from "node:assert/strict";
import { test } from "node:test";
import { byNodePort, endpoint, FakeNode, node, port, service, slice, vip, vip6, where } from "./fake-node.ts";
import { local, local6, pods, remote, unready } from "./web-pods.ts";

test("on request a port goes to its node port on this node, kube-proxy takes it from there, and the answer comes from the address", async () => {
  for (const [family, address, nodeAddress, pod] of [
    ["ip", vip, "172.30.0.11", "10.244.2.2"],
    ["ip6", vip6, "fd00::11", "fd01::2"],
  ] as const) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(byNodePort), [remote, local6]);
    const bare = fakeNode.send(address);
    assert.equal(where(bare), `local ${nodeAddress} 30080`);
    assert.deepEqual([bare.packet.mark, bare.connection.mark], [0, 0], "marks belong to others");
    assert.notEqual(bare.connection.zone, 0);
    await fakeNode.kubeProxy(family, { address: nodeAddress, port: 30080 }, { address: pod, port: 8080 });
    const request = fakeNode.send(address);
    assert.equal(where(request), `forwarded ${pod} 8080`);
    const { saddr, sport } = fakeNode.reply(request).packet;
    assert.deepEqual([saddr, sport], [address, 80]);
  }
});

test("a plain node port connection keeps its own address in the answer", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local]);
  const request = fakeNode.send("172.30.0.11", { port: 30080 });
  assert.equal(request.connection.zone, 0);
  const { saddr, sport } = fakeNode.reply(request).packet;
  assert.deepEqual([saddr, sport], ["172.30.0.11", 30080]);
});

test("a port without node port goes straight to the pods, those of other nodes masqueraded, and kube-proxy is not asked", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip, port: 80 }, { address: "10.9.9.9", port: 1 });
  await fakeNode.put(service({ ports: [pods] }), [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")])]);
  const ways = new Set<string>();
  for (let host = 1; host < 20; host++) {
    const send = () => where(fakeNode.send(vip, { source: `192.0.2.${host}` }));
    ways.add(send());
    assert.ok(ways.has(send()), "the same flow goes to the same pod");
  }
  assert.deepEqual([...ways].sort(), ["forwarded 10.244.1.2 8080", "forwarded 10.244.2.2 8080 masqueraded"]);
});

test("every node of a cluster sends a flow to the same pod, also after a rewrite; another cluster does not", async () => {
  const slices = [slice(["2", "3", "4"].map((host) => endpoint(`10.244.1.${host}`)))];
  const wayOf = async (hashSeed: number, name: string, affinityTimeoutSeconds: number | undefined) => {
    const fakeNode = new FakeNode({ ...node, name, hashSeed });
    await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds }), slices);
    const ways = () =>
      Array.from({ length: 50 }, (_, host) => fakeNode.send(vip, { source: `192.0.2.${host}` }).packet.daddr);
    const before = ways();
    fakeNode.dataplane.invalidate();
    await fakeNode.put(service({ key: "default/other" }), [], []);
    assert.deepEqual(ways(), before);
    return before;
  };
  for (const affinity of [undefined, 10_800]) {
    const way = await wayOf(1, "n1", affinity);
    assert.deepEqual(await wayOf(1, "n2", affinity), way);
    assert.notDeepEqual(await wayOf(2, "n1", affinity), way);
  }
});

test("several addresses, ports and protocols do not get in one another's way", async () => {
  const fakeNode = new FakeNode();
  const dns = service({
    ...byNodePort,
    key: "default/dns",
    ports: [
      port({ name: "udp", protocol: "UDP", port: 53, nodePort: 30053 }),
      port({ name: "tcp", protocol: "TCP", port: 53, nodePort: 30054 }),
    ],
  });
  const dnsSlice = slice([endpoint("10.244.1.3")], {
    ports: [
      { name: "udp", protocol: "UDP", port: 5353 },
      { name: "tcp", protocol: "TCP", port: 5353 },
    ],
  });
  await fakeNode.put(service(byNodePort), [local], ["192.0.2.200"]);
  await fakeNode.put(dns, [dnsSlice], ["192.0.2.201"]);
  await fakeNode.put(
    service({ ...byNodePort, key: "default/shared", ports: [port({ port: 443, nodePort: 30443 })] }),
    [local],
    ["192.0.2.200"],
  );
  const cases = [
    ["192.0.2.200", "tcp", 80, 30080],
    ["192.0.2.200", "tcp", 443, 30443],
    ["192.0.2.201", "udp", 53, 30053],
    ["192.0.2.201", "tcp", 53, 30054],
  ] as const;
  for (const [address, protocol, number, nodePort] of cases) {
    const request = fakeNode.send(address, { protocol, port: number });
    assert.equal(where(request), `local 172.30.0.11 ${nodePort}`);
    const { saddr, sport } = fakeNode.reply(request).packet;
    assert.deepEqual([saddr, sport], [address, number]);
  }
  assert.equal(where(fakeNode.send("192.0.2.201", { port: 80 })), "dropped in drop_unhandled");
});

test("a pod of this node that is on the LAN itself is reached behind the node's address, so that it answers through the node", async () => {
  for (const [address, onLan, behind] of [
    [vip, "192.0.2.50", "10.244.1.2"],
    [vip6, "2001:db8::50", "fd01::2"],
  ] as const) {
    for (const externalTrafficPolicy of ["Cluster", "Local"] as const) {
      const fakeNode = new FakeNode();
      const view = service({ ports: [pods], externalTrafficPolicy });
      await fakeNode.put(view, [slice([endpoint(onLan)])]);
      assert.equal(where(fakeNode.send(address)), `forwarded ${onLan} 8080 masqueraded`);
      await fakeNode.put(view, [slice([endpoint(behind)])]);
      assert.equal(where(fakeNode.send(address)), `forwarded ${behind} 8080`);
    }
  }
});

test("in-cluster clients keep kube-proxy's short cut", async () => {
  for (const change of [{}, byNodePort, { ports: [pods] }]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(change), [local]);
    assert.equal(where(fakeNode.send(vip, { from: "cni0", source: "10.244.1.9" })), `forwarded ${vip} 80`);
  }
});

test("the annotation chooses the way", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  const refused = "refused by reset in reject_no_endpoints";
  for (const [value, end, withoutEndpoints] of [
    ["pods", "forwarded 10.244.1.2 8080", refused],
    ["nodeport", "local 172.30.0.11 30080", refused],
    ["kube-proxy", "forwarded 10.9.9.9 80", "forwarded 10.9.9.9 80"],
    ["magic", "forwarded 10.9.9.9 80", refused],
  ] as const) {
    const view = service({ annotations: { "bellhop.dev/forwarding": value } });
    await fakeNode.put(view, [local]);
    assert.equal(where(fakeNode.send(vip)), end, value);
    await fakeNode.put(view, [unready]);
    assert.equal(where(fakeNode.send(vip)), withoutEndpoints, value);
  }
});

test("a second address of a family goes to the pods, because a node port leads back to one", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local], ["192.0.2.200", "192.0.2.201"]);
  assert.equal(where(fakeNode.send("192.0.2.200")), "local 172.30.0.11 30080");
  assert.equal(where(fakeNode.send("192.0.2.201")), "forwarded 10.244.1.2 8080");
});

test("SCTP is left to kube-proxy", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  const served = slice([endpoint("10.244.1.2")], { ports: [{ name: "", protocol: "SCTP", port: 8080 }] });
  for (const slices of [[served], []]) {
    await fakeNode.put(service({ ports: [port({ protocol: "SCTP" })] }), slices);
    assert.equal(where(fakeNode.send(vip, { protocol: "sctp" })), "forwarded 10.9.9.9 80");
  }
});

test("a packet of a TCP connection that the node does not know is answered by a reset, and makes no connection", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [local, local6]);
  for (const address of [vip, vip6]) {
    const outcome = fakeNode.send(address, { syn: false });
    assert.equal(where(outcome), "refused by reset in pick_flow_1");
    assert.equal(outcome.connection.translated, false);
  }
});

for (const [family, address, nodeAddress, protocol, icmpType] of [
  ["IPv4", vip, "172.30.0.11", "icmp", 8],
  ["IPv6", vip6, "fd00::11", "icmpv6", 128],
] as const) {
  test(`${family}: the node answers ping for the address, to clients on the LAN, and only if it is allowed to`, async () => {
    const ping = { protocol, icmpType };
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local, local6]);
    const outcome = fakeNode.send(address, ping);
    assert.deepEqual([outcome.end, outcome.packet.daddr], ["local", nodeAddress]);
    assert.equal(fakeNode.send(address, { ...ping, from: "cni0" }).connection.translated, false);
    assert.equal(where(fakeNode.send(address, { protocol, icmpType: icmpType + 5 })), "dropped in drop_unhandled");
    const silent = new FakeNode({ ...node, answersPing: false });
    await silent.put(service(), [local, local6]);
    assert.equal(where(silent.send(address, ping)), "dropped in drop_unhandled");
  });

  test(`${family}: what else the node serves is not reached by an address that an interface of it has`, async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports: [pods] }), [local, local6]);
    const onNode = [address];
    assert.equal(where(fakeNode.send(address, { port: 22, onNode })), "dropped in drop_on_node");
    assert.match(where(fakeNode.send(address, { onNode })), /^forwarded (10\.244\.1\.2|fd01::2) 8080$/);
    assert.equal(where(fakeNode.send(nodeAddress, { port: 22, onNode })), `local ${nodeAddress} 22`);
  });
}

test("what nothing handles is dropped whatever connection tracking makes of it, and an answered connection is handled", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [local, local6]);
  for (const address of [vip, vip6]) {
    for (const state of ["new", "invalid"] as const)
      assert.equal(where(fakeNode.send(address, { port: 81, state })), "dropped in drop_unhandled");
    assert.equal(where(fakeNode.send(address, { port: 81, state: "established" })), `forwarded ${address} 81`);
  }
});
