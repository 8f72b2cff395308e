import assert from "node:assert/strict";
import { test } from "node:test";
import { type TraceOutcome, traceOutput, traceReplyToNode } from "../../../../src/nft/tracer.ts";
import { byNodePort, endpoint, FakeNode, node, service, slice, vip, vip6 } from "./fake-node.ts";

const targets = (["TCP", "UDP"] as const).map((protocol) => ({ name: "", protocol, port: 8080 }));
const slices = [
  slice([endpoint("10.244.1.2")], { ports: targets }),
  slice([endpoint("fd01::2")], { ports: targets, key: "default/web-6" }),
];
const optional = ["rewrite_output", "check_output_source_ranges", "unrewrite_input"];

function shownAs(ipMode: string) {
  return { ...byNodePort, ingress: [vip, vip6].map((ip) => ({ ip, ipMode, ports: [] })) };
}

function outputOf(fakeNode: FakeNode, destination: string, l4proto: string): TraceOutcome {
  const family = destination.includes(":") ? "IPv6" : "IPv4";
  const local = [node.addresses.IPv4 ?? "", node.addresses.IPv6 ?? ""];
  const saddr = node.addresses[family] ?? "";
  const packet = { iifname: "", saddr, daddr: destination, l4proto, sport: 40_000, dport: 80, mark: 0, syn: true };
  return traceOutput(fakeNode.tables(family === "IPv4" ? "ip" : "ip6"), packet, { local });
}

for (const protocol of ["tcp", "udp"] as const) {
  for (const [address, own, pod] of [
    [vip, node.addresses.IPv4, "10.244.1.9"],
    [vip6, node.addresses.IPv6, "fd01::9"],
  ] as const) {
    const ports = [{ name: "", protocol: protocol === "tcp" ? "TCP" : "UDP", port: 80, nodePort: 30080 }] as const;

    test(`${protocol} of a pod to ${address}, shown with ipMode Proxy, is rewritten to the node port, and the answer back`, async () => {
      const fakeNode = new FakeNode();
      await fakeNode.put(service({ ...shownAs("Proxy"), ports }), slices);
      const request = fakeNode.send(address, { from: "cni0", source: pod, protocol });
      assert.deepEqual([request.end, request.packet.daddr, request.packet.dport], ["local", own, 30080]);
      const reply = fakeNode.reply(request);
      assert.deepEqual([reply.packet.saddr, reply.packet.sport], [address, 80]);
    });

    test(`${protocol} of the node itself to ${address}, shown with ipMode Proxy, is rewritten, and the answer back`, async () => {
      const fakeNode = new FakeNode();
      await fakeNode.put(service({ ...shownAs("Proxy"), ports }), slices);
      const request = outputOf(fakeNode, address, protocol);
      assert.deepEqual([request.end, request.packet.daddr, request.packet.dport], ["local", own, 30080]);
      const reply = traceReplyToNode(fakeNode.tables(address === vip ? "ip" : "ip6"), request);
      assert.deepEqual([reply.end, reply.packet.saddr, reply.packet.sport], ["local", address, 80]);
    });

    test(`${protocol} in the cluster to ${address}, shown with ipMode VIP, is left to service proxies`, async () => {
      const fakeNode = new FakeNode();
      await fakeNode.put(service({ ...shownAs("VIP"), ports }), slices);
      assert.equal(fakeNode.send(address, { from: "cni0", source: pod, protocol }).packet.daddr, address);
      assert.equal(outputOf(fakeNode, address, protocol).packet.daddr, address);
    });
  }
}

test("source ranges exclude pods and the node itself", async () => {
  const fakeNode = new FakeNode();
  const sourceRanges = ["192.0.2.0/24", "2001:db8::/64"];
  await fakeNode.put(service({ ...shownAs("Proxy"), sourceRanges }), slices);
  for (const [address, pod] of [
    [vip, "10.244.1.9"],
    [vip6, "fd01::9"],
  ] as const) {
    assert.equal(fakeNode.send(address, { from: "cni0", source: pod }).chain, "check_source_ranges");
    assert.equal(outputOf(fakeNode, address, "tcp").chain, "check_output_source_ranges");
    assert.equal(fakeNode.send(address).end, "local");
  }
});

test("the chains for packets of the node exist only while an address is shown with ipMode Proxy", async () => {
  const fakeNode = new FakeNode();
  const present = () => optional.filter((chain) => fakeNode.nft.table("ip", "bellhop")?.chains.has(chain));
  await fakeNode.put(service(shownAs("VIP")), slices);
  assert.deepEqual(present(), []);
  await fakeNode.put(service(shownAs("Proxy")), slices);
  assert.deepEqual(present(), optional);
  await fakeNode.put(service(shownAs("VIP")), slices);
  assert.deepEqual(present(), []);
});

test("the chains that rewrite to node ports exist only while a port is rewritten", async () => {
  const fakeNode = new FakeNode();
  const rewriting = ["rewrite_to_node_port", "before_tracking", "unrewrite"];
  const present = () => rewriting.filter((chain) => fakeNode.nft.table("ip", "bellhop")?.chains.has(chain));
  await fakeNode.put(service(), slices);
  assert.deepEqual(present(), []);
  await fakeNode.put(service(byNodePort), slices);
  assert.deepEqual(present(), rewriting);
  await fakeNode.put(service(), slices);
  assert.deepEqual(present(), []);
});

test("a port without endpoints is refused before the rewrite: ICMP errors about a node port do not find the connection", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(shownAs("Proxy")), []);
  for (const [address, pod] of [
    [vip, "10.244.1.9"],
    [vip6, "fd01::9"],
  ] as const) {
    for (const outcome of [
      fakeNode.send(address, { from: "cni0", source: pod }),
      outputOf(fakeNode, address, "tcp"),
      fakeNode.send(address),
    ])
      assert.deepEqual([outcome.end, outcome.refusal, outcome.packet.daddr], ["refused", "reset", address]);
  }
});
