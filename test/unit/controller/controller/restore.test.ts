import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.15"]);
});

const ports = (port: number) => ({ ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] });
const annotations = { "bellhop.dev/share": "front" };

/** Everything is deleted and made again as a backup has it: the spec and the labels, with other uids and without a status. */
async function restore(virtualIps: readonly VirtualIP[]): Promise<void> {
  for (const { metadata, spec } of virtualIps) {
    const body = { metadata: { name: metadata.name, labels: metadata.labels }, spec };
    await cluster.server.request({ method: "POST", path: ownPath("virtualips"), body });
  }
}

async function removeAll(names: readonly string[]): Promise<readonly VirtualIP[]> {
  const virtualIps = await cluster.virtualIps();
  for (const name of names) {
    await cluster.changeService(name, { metadata: { finalizers: null } });
    await cluster.deleteService(name);
  }
  for (const { metadata } of virtualIps)
    await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", metadata.name) });
  return virtualIps;
}

describe("a cluster restored from a backup", () => {
  test("gives each Service its address again, and Services that shared one share it", async () => {
    const first = await cluster.start();
    await cluster.addService("gone");
    await cluster.expectShown("gone", ["192.0.2.10"]);
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.addService("a", ports(80), { annotations });
    await cluster.expectShown("a", ["192.0.2.12"]);
    await cluster.addService("b", ports(81), { annotations });
    await cluster.expectShown("b", ["192.0.2.12"]);
    await first.stop();
    const virtualIps = await removeAll(["gone", "web", "a", "b"]);
    await restore(virtualIps);
    await cluster.addService("b", ports(81), { annotations });
    await cluster.addService("a", ports(80), { annotations });
    await cluster.addService("web");
    await cluster.start();
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.expectShown("a", ["192.0.2.12"]);
    await cluster.expectShown("b", ["192.0.2.12"]);
    await cluster.idle();
    assert.deepEqual(await cluster.virtualIpNames(), ["192.0.2.11", "192.0.2.12"]);
    const uids = (await cluster.services()).map(({ metadata }) => metadata?.uid);
    for (const { spec } of await cluster.virtualIps())
      for (const { uid } of spec.services) assert.ok(uids.includes(uid), "names the Service as it is now");
  });

  test("moves a Service that now requests another address, the new one first", async () => {
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await first.stop();
    await restore(await removeAll(["web"]));
    await cluster.addService("web", { loadBalancerIP: "192.0.2.15" });
    await cluster.start();
    await cluster.expectShown("web", ["192.0.2.15"]);
    await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIpNames(), ["192.0.2.15"]));
  });
});
