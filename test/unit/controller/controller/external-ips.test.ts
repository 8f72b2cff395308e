import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]);
});

const externalIPs = ["192.0.2.12"];
const requests = { externalIPs, loadBalancerIP: "192.0.2.12" };
const ports = (port: number, protocol = "TCP") => ({ ports: [{ port, protocol, nodePort: 30000 + port }] });
const share = (key: string) => ({ annotations: { "bellhop.dev/share": key } });

describe("spec.externalIPs", () => {
  test("of a Service do not keep it from the address that it requests", async () => {
    await cluster.start();
    await cluster.addService("web", requests);
    await cluster.expectShown("web", externalIPs);
    await cluster.addService("other", { loadBalancerIP: "192.0.2.12" });
    await cluster.expectCondition("other", "False RequestedAddressTaken");
  });

  test("do not keep it from the address that it shows already", async () => {
    await cluster.addService("web", { externalIPs });
    await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: "192.0.2.12", ipMode: "VIP" }] } });
    await cluster.start();
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.deepEqual(await cluster.shown("web"), externalIPs);
  });

  test("of Services that share an address keep none of them from it", async () => {
    await cluster.start();
    await cluster.addService("dns-tcp", { ...requests, ...ports(53) }, share("dns"));
    await cluster.addService("dns-udp", { ...requests, ...ports(53, "UDP") }, share("dns"));
    await cluster.expectShown("dns-tcp", externalIPs);
    await cluster.expectShown("dns-udp", externalIPs);
  });

  test("of a Service with another sharing key do, until the keys agree", async () => {
    await cluster.start();
    await cluster.addService("first", { externalIPs, type: "ClusterIP", ...ports(81) }, share("back"));
    await cluster.addService("second", { ...requests, ...ports(80) }, share("front"));
    await cluster.expectCondition("second", "False RequestedAddressTaken");
    assert.match((await cluster.eventNotesOf("second")).at(-1) ?? "", /spec\.externalIPs of Service default\/first/);
    await cluster.changeService("first", { metadata: share("front") });
    await cluster.expectShown("second", externalIPs);
  });
});
