import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../../../../src/ip/address.ts";
import { endpoint, FakeNode, port, service, slice, vip, vip6 } from "./fake-node.ts";

const targets = (["TCP", "UDP"] as const).map((protocol) => ({ name: "", protocol, port: 8080 }));
const slices = [
  slice([endpoint("10.244.1.2")], { ports: targets }),
  slice([endpoint("fd01::2")], { ports: targets, key: "default/web-6" }),
];
const view = service({ ports: [port(), port({ protocol: "UDP" })] });

async function untaken(fakeNode: FakeNode): Promise<readonly string[]> {
  const found = await fakeNode.dataplane.readUntaken();
  return found.map(({ address, protocol, port: number }) => `${formatAddress(address)} ${protocol} ${number}`);
}

test("a new connection that no service proxy takes is dropped, and its port noted", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(view, slices);
  for (const [address, protocol] of [
    [vip, "tcp"],
    [vip6, "udp"],
  ] as const) {
    const outcome = fakeNode.send(address, { protocol });
    assert.deepEqual([outcome.end, outcome.chain], ["dropped", "drop_unhandled"]);
    await fakeNode.remember(outcome);
  }
  assert.deepEqual(await untaken(fakeNode), [`${vip} tcp 80`, `${vip6} udp 80`]);
  await fakeNode.put(service({ ...view, annotations: { "bellhop.dev/forwarding": "pods" } }), slices);
  assert.deepEqual(await untaken(fakeNode), [], "no longer left to a service proxy");
});

test("what a service proxy takes, ports that the Service does not have, and packets of unknown connections are not noted", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(view, slices);
  assert.deepEqual(fakeNode.send(vip, { port: 81 }).updates, []);
  assert.deepEqual(fakeNode.send(vip, { syn: false }).updates, []);
  assert.deepEqual(fakeNode.send(vip, { from: "cni0", source: "10.244.1.9" }).updates, []);
  await fakeNode.kubeProxy("ip", { address: vip, port: 80 }, { address: "10.244.1.2", port: 8080 });
  const taken = fakeNode.send(vip);
  assert.deepEqual([taken.end, taken.packet.daddr, taken.updates], ["forwarded", "10.244.1.2", []]);
});
