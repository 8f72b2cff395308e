import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";

const cluster = useCluster();

describe("releasing an address", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  });

  test("deletion: claim first, finalizer last", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.idle();
    const before = cluster.server.writes.length;
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await cluster.idle();
    assert.deepEqual(await cluster.virtualIps(), []);
    const writes = cluster.server.writes.slice(before + 1).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      writes.filter((text) => !text.includes("/events") && !text.includes("ipaddresspools")),
      [
        "DELETE /apis/bellhop.dev/v1beta1/virtualips/192.0.2.10",
        "PATCH /api/v1/namespaces/default/services/web/status",
      ],
    );
    const reasons = (await cluster.eventsOf("web")).slice(-2);
    assert.deepEqual(reasons, ["DeletingLoadBalancer", "DeletedLoadBalancer"]);
  });

  test("leaving type LoadBalancer releases everything and removes our marks, and returning assigns an address again", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
    await cluster.eventually(async () =>
      assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers ?? [], []),
    );
    assert.deepEqual(await cluster.virtualIps(), []);
    assert.equal(await cluster.condition("web"), "none");
    await cluster.changeService("web", { spec: { type: "LoadBalancer" } });
    await cluster.expectShown("web", ["192.0.2.10"]);
  });

  test("another class is never written to, and no Service gets the address that it shows", async () => {
    await cluster.start();
    await cluster.addService("theirs", { loadBalancerClass: "example.com/other" }, { finalizers: [finalizer] });
    await cluster.setServiceStatus("theirs", { loadBalancer: { ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] } });
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.11"]);
    await cluster.deleteService("theirs");
    await cluster.idle();
    assert.deepEqual((await cluster.service("theirs"))?.metadata?.finalizers, [finalizer]);
    const written = cluster.server.writes.filter(({ path }) => path.includes("/services/theirs"));
    assert.equal(written.length, 2, "only the test itself wrote");
  });

  test("a Service that changes to another class unseen is left without our marks, and taken again when it returns", async () => {
    const first = await cluster.start();
    for (const name of ["fast", "served"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await first.stop();
    for (const name of ["fast", "served"]) {
      await cluster.changeService(name, { spec: { type: "ClusterIP" } });
      await cluster.changeService(name, { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } });
    }
    await cluster.setServiceStatus("served", { loadBalancer: { ingress: [{ ip: "203.0.113.1", ipMode: "VIP" }] } });
    await cluster.start();
    await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
    assert.deepEqual((await cluster.service("fast"))?.metadata?.finalizers ?? [], []);
    assert.equal(await cluster.condition("fast"), "none");
    assert.deepEqual((await cluster.service("served"))?.metadata?.finalizers, [finalizer], "it may be theirs by now");
    assert.deepEqual(await cluster.shown("served"), ["203.0.113.1"]);
  });

  test("a Service that changes to another class while we release it is left without our marks", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    cluster.server.intercept = async ({ method, path }) => {
      if (method !== "DELETE" || !path.includes("virtualips")) return;
      cluster.server.intercept = undefined;
      await cluster.changeService("web", { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } });
    };
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
    await cluster.eventually(async () =>
      assert.equal((await cluster.service("web"))?.spec?.loadBalancerClass, "example.com/other"),
    );
    await cluster.eventually(async () =>
      assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers ?? [], []),
    );
    assert.equal(await cluster.condition("web"), "none");
    assert.deepEqual(await cluster.virtualIps(), []);
  });

  test("a finalizer that was never ours stays", async () => {
    await cluster.start();
    await cluster.addService("web", { type: "ClusterIP" }, { finalizers: [finalizer] });
    await cluster.idle();
    assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers, [finalizer]);
  });

  test("without --default-class, Services without a class are left alone", async () => {
    await cluster.start({ defaultClass: false });
    await cluster.addService("none");
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.10"]);
    assert.equal(await cluster.condition("none"), "none");
  });

  test("a Service created again under the same name gets a claim of its own", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { metadata: { finalizers: null } });
    await cluster.deleteService("web");
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.eventually(async () => {
      const [claim] = await cluster.virtualIps();
      assert.equal(claim?.spec.services[0]?.uid, (await cluster.service("web"))?.metadata?.uid);
    });
  });

  test("a deleted VirtualIP is created again with the same address", async () => {
    await cluster.start();
    await cluster.addService("a");
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.idle();
    const path = "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.10";
    await cluster.server.request({ method: "DELETE", path });
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps())[0]?.metadata.name, "192.0.2.10"));
    assert.deepEqual(await cluster.shown("a"), ["192.0.2.10"]);
  });
});
