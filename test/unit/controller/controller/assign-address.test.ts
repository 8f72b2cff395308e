import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";

const cluster = useCluster();

describe("assigning addresses", () => {
  test("claims, shows all ports with ipMode VIP, and tells it", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "web", port: 80, protocol: "TCP" },
    ];
    await cluster.addService("web", { ports });
    await cluster.expectCondition("web", "True AddressAssigned");
    const service = await cluster.service("web");
    assert.deepEqual(service?.status?.loadBalancer?.ingress, [
      {
        ip: "192.0.2.10",
        ipMode: "VIP",
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 80, protocol: "TCP" },
        ],
      },
    ]);
    assert.deepEqual(service?.metadata?.finalizers, [finalizer]);
    const [claim] = await cluster.virtualIps();
    assert.equal(claim?.metadata.name, "192.0.2.10");
    assert.deepEqual(claim?.spec.services, [{ namespace: "default", name: "web", uid: service?.metadata?.uid }]);
    assert.deepEqual(claim?.spec.owners, ["n1"]);
    await cluster.eventually(async () =>
      assert.deepEqual(await cluster.eventsOf("web"), ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]),
    );
  });

  test("a Service costs one claim and one patch", async () => {
    await cluster.addPool("lan", ["192.0.2.0/24"]);
    await cluster.start();
    await cluster.idle();
    const before = cluster.server.writes.length;
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.1"]);
    await cluster.idle();
    const writes = cluster.server.writes.slice(before + 1).map(({ method, path }) => `${method} ${path}`);
    const status = "PATCH /api/v1/namespaces/default/services/web/status";
    assert.deepEqual(
      writes.filter((text) => !text.includes("/events") && !text.includes("ipaddresspools")),
      ["POST /apis/bellhop.dev/v1beta1/virtualips", status],
    );
  });

  test("dual stack: one address per family, in the order of ipFamilies", async () => {
    await cluster.addPool("lan", ["192.0.2.10/32", "2001:db8::10-2001:db8::20"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["2001:db8::10", "192.0.2.10"]);
  });

  test("RequireDualStack gets both or none, PreferDualStack what there is", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    const ipFamilies = ["IPv4", "IPv6"];
    await cluster.addService("must", { ipFamilies, ipFamilyPolicy: "RequireDualStack" });
    await cluster.addService("likes", { ipFamilies, ipFamilyPolicy: "PreferDualStack" });
    await cluster.expectCondition("must", "False NoPoolForService");
    await cluster.expectShown("likes", ["192.0.2.10"]);
    await cluster.expectCondition("likes", "True AddressAssigned");
    await cluster.addPool("six", ["2001:db8::10-2001:db8::20"]);
    await cluster.expectShown("must", ["192.0.2.11", "2001:db8::10"]);
    await cluster.expectShown("likes", ["192.0.2.10", "2001:db8::11"]);
  });

  test("many Services at once get different addresses, and the rest get a reason until some are free", async () => {
    await cluster.addPool("lan", ["192.0.2.1-192.0.2.20"]);
    await cluster.start();
    for (let index = 0; index < 25; index++) await cluster.addService(`web${index}`);
    const shown = async (): Promise<string[]> =>
      (await cluster.services()).flatMap((service) => service.status?.loadBalancer?.ingress?.[0]?.ip ?? []);
    await cluster.eventually(async () => assert.equal((await shown()).length, 20));
    assert.equal(new Set(await shown()).size, 20);
    await cluster.eventually(async () => {
      const conditions = await Promise.all(
        (await cluster.services()).map(({ metadata }) => cluster.condition(metadata?.name ?? "")),
      );
      assert.equal(conditions.filter((text) => text === "False PoolExhausted").length, 5);
    });
    const [first] = (await cluster.services()).filter((service) => service.status?.loadBalancer?.ingress !== undefined);
    await cluster.deleteService(first?.metadata?.name ?? "");
    await cluster.eventually(async () => assert.equal((await shown()).length, 20));
  });

  test("the first and last address of a subnet and addresses of interfaces are never assigned", async () => {
    await cluster.addNode("n2", ["192.0.2.1/29", "2001:db8::1/64"]);
    await cluster.addPool("lan", ["192.0.2.0/29", "2001:db8::-2001:db8::2"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["192.0.2.2", "2001:db8::2"]);
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.7" });
    await cluster.expectCondition("asks", "False RequestedAddressTaken");
  });

  test("an address that a node or spec.externalIPs uses is never assigned", async () => {
    await cluster.server.request({
      method: "POST",
      path: "/api/v1/nodes",
      body: { metadata: { name: "n2" }, status: {} },
    });
    await cluster.server.request({
      method: "PATCH",
      path: "/api/v1/nodes/n2/status",
      body: { status: { addresses: [{ type: "InternalIP", address: "192.0.2.10" }] } },
      contentType: "application/merge-patch+json",
    });
    await cluster.addService("old", { type: "ClusterIP", externalIPs: ["192.0.2.11"] });
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.10" });
    await cluster.expectShown("web", ["192.0.2.12"]);
    await cluster.expectCondition("asks", "False RequestedAddressTaken");
  });
});
