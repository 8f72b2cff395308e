import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeProxyTiming } from "../../../../speaker/dataplane/render.ts";
import { endpoint, FakeNode, port, service, slice, vip, where } from "./fake-node.ts";

/** A Service that is new at the moment of rendering. */
const late: KubeProxyTiming = { before: undefined, nowMs: 1_000, delayMs: 60_000, spreadMs: 0 };
const local = slice([endpoint("10.244.1.2")]);
const remote = slice([endpoint("10.244.2.2", "n2")]);
const proxied = "forwarded 10.9.9.9 80";

/** Where a new connection goes while kube-proxy, which knows the address already, may be late, and afterwards. */
const cases = [
  {
    words: "a pod of this node, behind this node as by kube-proxy",
    slices: [local],
    now: "forwarded 10.244.1.2 8080 masqueraded",
    settled: proxied,
  },
  { words: "a pod of another node", slices: [remote], now: "forwarded 10.244.2.2 8080 masqueraded", settled: proxied },
  {
    words: "under Local, a pod of this node sees the client",
    change: { externalTrafficPolicy: "Local" },
    slices: [local],
    now: "forwarded 10.244.1.2 8080",
    settled: proxied,
  },
  {
    words: "under Local, without a pod on this node kube-proxy drops",
    change: { externalTrafficPolicy: "Local" },
    slices: [remote],
    now: proxied,
    settled: proxied,
  },
  {
    words: "with session affinity kube-proxy chooses from the start",
    change: { affinityTimeoutSeconds: 10 },
    slices: [local],
    now: proxied,
    settled: proxied,
  },
  {
    words: "without endpoints it is refused",
    slices: [],
    now: "refused by reset in reject_no_endpoints",
    settled: "refused by reset in reject_no_endpoints",
  },
  {
    words: "without a node port nothing changes",
    change: { ports: [port({ nodePort: 0 })] },
    slices: [local],
    now: "forwarded 10.244.1.2 8080",
    settled: "forwarded 10.244.1.2 8080",
  },
] as const;

for (const { words, slices, now, settled, ...rest } of cases) {
  test(words, async () => {
    const fakeNode = new FakeNode();
    await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
    const view = service("change" in rest ? rest.change : {});
    await fakeNode.put(view, slices, [vip], late);
    assert.equal(where(fakeNode.send(vip)), now);
    await fakeNode.put(view, slices, [vip], { ...late, delayMs: 0 });
    assert.equal(where(fakeNode.send(vip)), settled);
  });
}

test("the end of the wait adds no nat of ours and deletes only ours", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(), [local], [vip], late);
  await fakeNode.put(service(), [local], [vip]);
  const sets = fakeNode.nft.table("ip", "bellhop")?.sets;
  for (const name of ["dnat_services", "tcp_endpoints", "remote_endpoints", "node_ports"]) {
    assert.equal(sets?.get(name)?.elements.size, 0, name);
  }
  assert.equal(sets?.get("proxied_services")?.elements.size, 1);
});

test("UDP flows that went straight to a pod while kube-proxy was late stay", async () => {
  const fakeNode = new FakeNode();
  const view = service({ ports: [port({ protocol: "UDP", port: 53, nodePort: 30053 })] });
  const slices = [slice([endpoint("10.244.1.2")], { ports: [{ name: "", protocol: "UDP", port: 5353 }] })];
  await fakeNode.put(view, slices, [vip], late);
  const flow = { destination: vip, destinationPort: 53, replySource: "10.244.1.2", replySourcePort: 5353 };
  fakeNode.conntrack.flows = [flow];
  await fakeNode.put(view, slices, [vip]);
  await fakeNode.clock.advance(120_000);
  assert.deepEqual(fakeNode.conntrack.flows, [flow]);
});
