import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byNodePort, endpoint, FakeNode, port, service, slice, vip, vip6, where } from "./fake-node.ts";
import { someStep } from "./generated-services.ts";

const pods = port({ nodePort: 0 });
const local = slice([endpoint("10.244.1.2")]);
const unready = slice([endpoint("10.244.1.2", "n1", { ready: false, serving: false })]);
const udp = port({ name: "dns", protocol: "UDP", port: 53, nodePort: 30053 });
const bothWays = [
  [port(), udp],
  [pods, { ...udp, nodePort: 0 }],
];

test("a port without usable endpoints is refused on both ways: TCP by a reset, UDP as unreachable", async () => {
  for (const ports of bothWays) {
    for (const externalTrafficPolicy of ["Cluster", "Local"] as const) {
      const fakeNode = new FakeNode();
      await fakeNode.put(service({ ports, externalTrafficPolicy }), [unready]);
      for (const address of [vip, vip6]) {
        assert.equal(where(fakeNode.send(address)), "refused by reset in reject_no_endpoints");
        assert.equal(
          where(fakeNode.send(address, { protocol: "udp", port: 53 })),
          "refused by unreachable in reject_no_endpoints",
        );
        assert.equal(
          where(fakeNode.send(address, { port: 81 })),
          "dropped in drop_unhandled",
          "no port of the Service",
        );
      }
    }
  }
});

test("datagrams of a flow that is open are refused, too, and so is a SYN from the port of an old connection", async () => {
  for (const ports of bothWays) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports }), [unready]);
    for (const address of [vip, vip6]) {
      const open = { state: "established", protocol: "udp", port: 53 } as const;
      assert.equal(where(fakeNode.send(address, open)), "refused by unreachable in reject_no_endpoints");
      assert.equal(where(fakeNode.send(address, { state: "established" })), "refused by reset in reject_no_endpoints");
    }
  }
});

test("each family is refused for itself", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local]);
  assert.equal(where(fakeNode.send(vip)), "local 172.30.0.11 30080");
  assert.equal(where(fakeNode.send(vip6)), "refused by reset in reject_no_endpoints");
});

test("refusal ends and begins with the endpoints, in one transaction with what forwards", async () => {
  for (const ports of [[port()], [pods]]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports }), [unready], [vip]);
    for (const slices of [[local], [unready], [], [local]]) {
      const before = fakeNode.nft.accepted.length;
      await fakeNode.put(service({ ports }), slices, [vip]);
      const refused = where(fakeNode.send(vip)) === "refused by reset in reject_no_endpoints";
      assert.equal(refused, slices[0] !== local);
      assert.equal(fakeNode.nft.accepted.length - before, slices.length === 0 ? 0 : 1);
    }
  }
});

test("a solicitation that is sent to the address itself is not routed, and those for other addresses are", async () => {
  const solicitation = { protocol: "icmpv6", icmpType: 135 } as const;
  for (const slices of [[], [local]]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), slices);
    assert.equal(where(fakeNode.send(vip6, solicitation)), "dropped in reject_no_endpoints");
    assert.equal(fakeNode.send(vip6, { ...solicitation, from: "cni0" }).end, "forwarded");
    assert.equal(fakeNode.send("2001:db8::77", solicitation).end, "forwarded");
  }
});

test("connections that run are not reset when the last endpoint is no longer ready", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [unready]);
  assert.notEqual(fakeNode.send(vip, { syn: false }).end, "refused");
  await fakeNode.put(service(byNodePort), [unready]);
  assert.equal(where(fakeNode.send(vip, { syn: false })), "local 172.30.0.11 30080");
});

test("in-cluster clients are refused by kube-proxy, and clients outside the source ranges are dropped", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ sourceRanges: ["192.0.2.0/25"] }), [unready]);
  assert.equal(where(fakeNode.send(vip, { source: "192.0.2.99" })), "refused by reset in reject_no_endpoints");
  assert.equal(where(fakeNode.send(vip, { source: "192.0.2.200" })), "dropped in check_source_ranges");
  assert.equal(where(fakeNode.send(vip, { source: "192.0.2.98", from: "cni0" })), `forwarded ${vip} 80`);
});

test("a Service that another service proxy serves is not refused: its slices are not watched", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ labels: { "service.kubernetes.io/service-proxy-name": "other" } }), []);
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.9.9.9 80");
});

test("a port of ours is refused when no endpoint in the cluster could take it, and only then", async () => {
  await fc.assert(
    fc.asyncProperty(someStep, async ({ view, slices }) => {
      const fakeNode = new FakeNode();
      const open = { ...view, sourceRanges: [] };
      await fakeNode.put(open, slices, ["192.0.2.200"]);
      for (const { name, protocol, port } of open.ports) {
        const all = slices.flatMap((one) =>
          one.ports
            .filter((slot) => slot.name === name && slot.protocol === protocol)
            .flatMap((slot) => one.endpoints.map((each) => ({ ...each, at: `${each.address} ${slot.port}` }))),
        );
        const taken = new Set(all.filter(({ terminating }) => !terminating).map(({ at }) => at));
        const some = all.some(
          ({ ready, serving, terminating, at }) => (ready || serving) && (terminating ? !taken.has(at) : ready),
        );
        const outcome = where(fakeNode.send("192.0.2.200", { protocol: protocol.toLowerCase(), port }));
        assert.equal(outcome.startsWith("refused"), !some, outcome);
      }
    }),
    { numRuns: 300 },
  );
});
