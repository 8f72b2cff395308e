import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadConnections } from "../../../../speaker/dataplane/dead-endpoints.ts";
import type { SeenService } from "../../../../speaker/dataplane/kube-proxy-delay.ts";
import { renderService } from "../../../../speaker/dataplane/render.ts";
import { rewriteZone } from "../../../../speaker/dataplane/rewrite-zone.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import { addressData } from "../../../../src/nft/data.ts";
import { byNodePort, endpoint, FakeNode, node, port, service, slice, vip, where } from "./fake-node.ts";

const both = slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")]);
const proxied = "forwarded 10.9.9.9 80";
const mine = "forwarded 10.244.1.2 8080";

/** Where new connections go while n2 is known to be dead, kube-proxy knows the Service for long, and the slices still show n2's pod as ready. */
const cases = [
  { words: "a port with a node port: a living pod, behind this node as by kube-proxy", now: `${mine} masqueraded` },
  { words: "without a node port: a living pod", change: { ports: [port({ nodePort: 0 })] }, now: mine },
  {
    words: "no pod lives: refused",
    slices: [slice([endpoint("10.244.2.2", "n2")])],
    now: "refused by reset in reject_no_endpoints",
  },
  { words: "no pod is on it: kube-proxy", slices: [slice([endpoint("10.244.1.2")])], now: proxied },
  {
    words: "under Local: kube-proxy, which uses this node's pods alone",
    change: { externalTrafficPolicy: "Local" },
    now: proxied,
  },
  {
    words: "with session affinity: a living pod, too",
    change: { affinityTimeoutSeconds: 10 },
    now: `${mine} masqueraded`,
  },
  {
    words: "with session affinity where the service proxy hides its choices: kube-proxy",
    change: { affinityTimeoutSeconds: 10 },
    facts: { hiddenChoices: true },
    now: proxied,
  },
  {
    words: "left to kube-proxy on request",
    change: { annotations: { "bellhop.dev/forwarding": "kube-proxy" } },
    now: proxied,
  },
  { words: "by the node port on request", change: byNodePort, now: "local 172.30.0.11 30080" },
  { words: "a chain may drop what goes straight to pods: kube-proxy", facts: { mayDropForwarded: true }, now: proxied },
  { words: "nothing goes straight to pods in place of kube-proxy: kube-proxy", delayMs: 0, now: proxied },
] as const;

for (const one of cases) {
  test(`while a node is dead, ${one.words}`, async () => {
    const fakeNode = new FakeNode();
    await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
    const view = service("change" in one ? one.change : {});
    const slices = "slices" in one ? one.slices : [both];
    const address = parseAddress(vip);
    assert.ok(address);
    const facts = { ...node, ...("facts" in one ? one.facts : {}) };
    const delayMs = "delayMs" in one ? one.delayMs : 60_000;
    let seen: SeenService | undefined;
    const render = async (deadNodes: readonly string[], nowMs: number) => {
      const timing = { before: seen, nowMs, delayMs, spreadMs: 0 };
      const rendered = renderService(view, slices, [address], { ...facts, deadNodes: new Set(deadNodes) }, { timing });
      fakeNode.dataplane.setService(view.key, rendered.elements);
      await fakeNode.dataplane.apply({ nodeAddresses: node.addresses });
      seen = rendered.seen;
      return rendered.dueMs;
    };
    await render([], 0);
    assert.equal(await render(["n2"], 100_000), undefined, "it is not waited for an end");
    assert.equal(where(fakeNode.send(vip)), one.now);
  });
}

for (const affinityTimeoutSeconds of [undefined, 10]) {
  const words = affinityTimeoutSeconds === undefined ? "" : ", also with session affinity";
  test(`kube-proxy takes over again some time after the slices show no endpoint on the dead node as ready${words}`, () => {
    const address = parseAddress(vip);
    assert.ok(address);
    const view = service({ affinityTimeoutSeconds });
    const wayAt = (before: SeenService | undefined, slices: readonly EndpointSliceView[], nowMs: number) => {
      const facts = { ...node, deadNodes: new Set(["n2"]) };
      const timing = { before, nowMs, delayMs: 60_000, spreadMs: 0 };
      const { elements, seen, dueMs } = renderService(view, slices, [address], facts, { timing });
      return { way: elements.some(({ set }) => set === "dnat_services") ? "pods" : "kube-proxy", seen, dueMs };
    };
    const gone = [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2", { ready: false, serving: false })])];
    const first = wayAt(undefined, [both], 0);
    const dead = wayAt(first.seen, [both], 100_000);
    assert.deepEqual([dead.way, dead.dueMs], ["pods", undefined]);
    const noticed = wayAt(dead.seen, gone, 140_000);
    assert.deepEqual([noticed.way, noticed.dueMs], ["pods", 200_000]);
    assert.equal(wayAt(noticed.seen, gone, 200_000).way, "kube-proxy");
  });
}

test("connections to dead endpoints are those through our addresses, and those that were rewritten to node ports, until they wait", () => {
  const bytes = (text: string) => {
    const address = parseAddress(text);
    assert.ok(address);
    return Uint8Array.from(addressData(address), (char) => char.charCodeAt(0));
  };
  const connections = new DeadConnections(
    { destinations: new Set([vip]), endpoints: new Set(["10.244.2.2", "no address"]) },
    rewriteZone,
  );
  for (const [destination, replySource, zone, expected] of [
    [vip, "10.244.2.2", undefined, true],
    [vip, "10.244.1.2", undefined, false],
    ["10.96.0.1", "10.244.2.2", undefined, false],
    ["172.30.0.11", "10.244.2.2", rewriteZone, true],
    ["172.30.0.11", "10.244.2.2", 1, false],
    ["172.30.0.11", "10.244.1.2", rewriteZone, false],
  ] as const) {
    const connection = { destination: bytes(destination), replySource: bytes(replySource), zone };
    assert.equal(
      connections.has({ ...connection, timeWait: false }),
      expected,
      `${destination} ${replySource} ${zone}`,
    );
    assert.equal(connections.has({ ...connection, timeWait: true }), false, `${destination} ${replySource} ${zone}`);
  }
});
