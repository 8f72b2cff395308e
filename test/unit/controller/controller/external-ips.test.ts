import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askAddress, askService } from "../explain/load-and-explain.ts";
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

  describe("over the limit of the namespace", () => {
    const settings = { maxExternalIpsPerNamespace: 1 };
    const limits = { holds: 10, externalIps: 1 };
    const web = { type: "ClusterIP", externalIPs: ["192.0.2.11", "192.0.2.12"] };
    const warnings = async () =>
      (await cluster.eventNotesOf("web")).filter((text) => text.includes("192.0.2.12 (spec.externalIPs)"));

    test("are reported by one event on the Service, whatever its type, until they have changed", async () => {
      await cluster.addService("web", web);
      await cluster.start(settings);
      await cluster.eventually(async () => assert.equal((await warnings()).length, 1));
      assert.deepEqual(await cluster.eventsOf("web"), ["ExternalIpLimitReached"]);
      await cluster.changeService("web", { metadata: { labels: { tier: "front" } } });
      await cluster.pass(21 * 60_000);
      assert.deepEqual(await cluster.eventsOf("web"), ["ExternalIpLimitReached"]);
    });

    test("are reported as soon as a pool contains them", async () => {
      await cluster.changePool("lan", { addresses: ["192.0.2.10"] });
      await cluster.start(settings);
      await cluster.addService("web", web);
      await cluster.idle();
      assert.deepEqual(await warnings(), []);
      await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.12"] });
      await cluster.eventually(async () => assert.equal((await warnings()).length, 1));
    });

    test("are explained with the limit of the controller", async () => {
      await cluster.start(settings);
      await cluster.addService("web", web);
      await cluster.addService("other", { loadBalancerIP: "192.0.2.12" });
      await cluster.expectShown("other", ["192.0.2.12"]);
      const codes = async (...more: readonly (typeof limits)[]) =>
        (await askService(cluster, "web", true, ...more)).warnings.map(({ code }) => code);
      assert.deepEqual(await codes(limits), ["ExternalIpLimitReached"]);
      assert.deepEqual(await codes(), [], "with the default limit it counts");
      const { poolNotes } = await askAddress(cluster, "192.0.2.12", limits);
      assert.match(poolNotes.join(), /Service default\/web lists it in spec\.externalIPs, over the limit/);
    });
  });
});
