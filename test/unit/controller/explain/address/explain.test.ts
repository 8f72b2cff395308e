import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { managedByController, managedByLabel } from "../../../../../src/api/labels.ts";
import { ownPath } from "../../../../../src/kube/path.ts";
import type { Cluster } from "../../fake-cluster/cluster.ts";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { askAddress } from "../load-and-explain.ts";

/** As the controller leaves it behind when a Service has moved away, because another device had the address. */
async function quarantine(cluster: Cluster, address: string): Promise<void> {
  const metadata = { name: address, labels: { [managedByLabel]: managedByController } };
  const spec = { address, services: [], owners: [], heldUntil: "2100-01-01T00:00:00Z" };
  await cluster.server.request({ method: "POST", path: ownPath("virtualips"), body: { metadata, spec } });
  const message = `02:00:00:00:00:99 on the LAN of eth0 has ${address} already. Find that device.`;
  const conflict = {
    type: "Conflict",
    status: "True",
    reason: "AddressInUse",
    message,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const path = `${ownPath("virtualips", address)}/status`;
  await cluster.patch(path, { status: { conditions: [conflict] } });
}

describe("bellhop explain address", () => {
  const cluster = useCluster(async (cluster) => {
    await cluster.addNode("n1");
    await cluster.addPool("lan", ["192.0.2.0-192.0.2.19"], { avoidBuggyIPs: true, exclude: ["192.0.2.15"] });
    await cluster.addPool("twin", ["192.0.2.18-192.0.2.29"]);
    await cluster.addPool("drain", ["192.0.2.60-192.0.2.69"], { state: "Draining" });
    await cluster.start();
    await cluster.addService("web", { loadBalancerIP: "192.0.2.10" });
    await cluster.addService("late", { loadBalancerIP: "192.0.2.10" });
    await cluster.addService("outer", { type: "ClusterIP", externalIPs: ["192.0.2.12"] });
    await cluster.addVirtualIp("192.0.2.13", { address: "192.0.2.13" });
    await quarantine(cluster, "192.0.2.14");
    await cluster.eventually(async () => assert.equal(await cluster.condition("late"), "False RequestedAddressTaken"));
  });

  const cases = [
    { address: "192.0.2.10", state: "assigned", says: /belongs to Service default\/web\. No node announces it/ },
    { address: "192.0.2.11", state: "free", says: /192\.0\.2\.11 is free in pool lan\./ },
    { address: "192.0.2.12", state: "used", says: /in spec\.externalIPs of Service default\/outer/ },
    { address: "192.0.2.13", state: "reserved", says: /reserves 192\.0\.2\.13, and no Service has it yet/ },
    {
      address: "192.0.2.14",
      state: "used",
      says: /left out until 2100.*, because 02:00:00:00:00:99 .* has 192\.0\.2\.14/,
    },
    { address: "192.0.2.15", state: "outside", says: /No Service has/, note: /Pool lan excludes it/ },
    { address: "192.0.2.0", state: "used", says: /network, broadcast or anycast address/, note: /avoidBuggyIPs/ },
    { address: "192.0.2.25", state: "outside", says: /No Service has/, note: /Pool twin contains it, but is rejected/ },
    { address: "192.0.2.61", state: "outside", says: /drain/ },
    { address: "192.0.2.250", state: "used", says: /on an interface of Node n1/ },
    { address: "203.0.113.1", state: "outside", says: /no usable pool contains it/ },
  ];
  for (const { address, state, says, note } of cases) {
    test(`${address}: ${state}`, async () => {
      const explanation = await askAddress(cluster, address);
      assert.equal(explanation.state, state);
      assert.match(explanation.conclusion, says);
      if (note !== undefined) assert.match(explanation.poolNotes.join(" "), note);
    });
  }

  test("the Services that request it in vain are named", async () => {
    const { services, requestedBy } = await askAddress(cluster, "192.0.2.10");
    assert.deepEqual(services, ["default/web"]);
    assert.deepEqual(requestedBy, ["default/late"]);
  });
});
