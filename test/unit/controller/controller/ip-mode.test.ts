import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();
const spec = { ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] };

async function modesOf(name: string): Promise<readonly (string | undefined)[]> {
  const service = await cluster.service(name);
  return (service?.status?.loadBalancer?.ingress ?? []).map(({ ipMode }) => ipMode);
}

describe("ipMode in the status", () => {
  test("is Proxy where the pool says so, and VIP for a Service that says so", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"], { forwarding: "nodeport", ipMode: "Proxy" });
    await cluster.start();
    await cluster.addService("web", spec);
    await cluster.addService("plain", spec, { annotations: { "bellhop.dev/ip-mode": "VIP" } });
    for (const name of ["web", "plain"]) await cluster.expectCondition(name, "True AddressAssigned");
    assert.deepEqual(await modesOf("web"), ["Proxy"]);
    assert.deepEqual(await modesOf("plain"), ["VIP"]);
  });

  test("follows the pool", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"], { forwarding: "nodeport" });
    await cluster.start();
    await cluster.addService("web", spec);
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.deepEqual(await modesOf("web"), ["VIP"]);
    await cluster.changePool("lan", { ipMode: "Proxy" });
    await cluster.eventually(async () => assert.deepEqual(await modesOf("web"), ["Proxy"]));
    await cluster.changePool("lan", { forwarding: "pods" });
    await cluster.eventually(async () => assert.deepEqual(await modesOf("web"), ["VIP"]));
    await cluster.eventually(async () =>
      assert.ok((await cluster.eventsOf("web")).includes("IpModeProxyWithoutNodePort")),
    );
  });

  test("an API server that drops it is not written to again and again", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"], { forwarding: "nodeport", ipMode: "Proxy" });
    await cluster.start();
    await cluster.addService("web", spec);
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
    const [entry] = (await cluster.service("web"))?.status?.loadBalancer?.ingress ?? [];
    const ports = entry?.ports ?? [];
    await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: "192.0.2.10", ports }] } });
    await cluster.idle();
    assert.deepEqual(await modesOf("web"), [undefined]);
  });
});
