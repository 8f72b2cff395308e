import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addedFinalizer } from "../allocate/cases/allocation-case.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("--default-class=false on a cluster with Services without a class", () => {
  test("releases them, and no address is in two Services", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const first = await cluster.start();
    await cluster.addService("old");
    await cluster.expectShown("old", ["192.0.2.10"]);
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await first.stop();
    await cluster.start({ defaultClass: false });
    await cluster.expectShown("old", []);
    await cluster.expectShown("ours", ["192.0.2.10"]);
    assert.deepEqual((await cluster.service("old"))?.metadata?.finalizers ?? [], []);
    assert.equal(await cluster.condition("old"), "none");
    assert.ok((await cluster.eventsOf("old")).includes("NoDefaultClass"));
    await cluster.deleteService("old");
    assert.equal(await cluster.service("old"), undefined);
  });

  test("leaves a Service that another controller serves already, whose address no other Service gets", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.11"]);
    const first = await cluster.start();
    await cluster.addService("old");
    await cluster.expectShown("old", ["192.0.2.10"]);
    await first.stop();
    const theirs = ["192.0.2.10", "203.0.113.1"];
    await cluster.setServiceStatus("old", { loadBalancer: { ingress: theirs.map((ip) => ({ ip, ipMode: "VIP" })) } });
    await cluster.start({ defaultClass: false });
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("old"), theirs);
  });

  test("leaves its finalizer to a controller that has replaced the address, which may rely on it", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const first = await cluster.start();
    await cluster.addService("old");
    await cluster.expectShown("old", ["192.0.2.10"]);
    await first.stop();
    await cluster.setServiceStatus("old", { loadBalancer: { ingress: [{ ip: "203.0.113.1", ipMode: "VIP" }] } });
    await cluster.start({ defaultClass: false });
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.10"]);
    assert.deepEqual(await cluster.shown("old"), ["203.0.113.1"]);
    assert.equal(await cluster.condition("old"), "none");
    assert.deepEqual((await cluster.service("old"))?.metadata?.finalizers, [
      "service.kubernetes.io/load-balancer-cleanup",
    ]);
  });

  test("a Service that a controller without finalizers has taken over can be deleted", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const first = await cluster.start();
    await cluster.addService("old", {}, { managedFields: [addedFinalizer] });
    await cluster.expectShown("old", ["192.0.2.10"]);
    await first.stop();
    await cluster.setServiceStatus("old", { loadBalancer: { ingress: [{ ip: "203.0.113.1", ipMode: "VIP" }] } });
    await cluster.start({ defaultClass: false });
    await cluster.expectCondition("old", "none");
    await cluster.deleteService("old");
    await cluster.eventually(async () => assert.equal(await cluster.service("old"), undefined));
  });

  test("serves them again when it is switched on", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    for (const defaultClass of [true, false, true]) {
      const running = await cluster.start({ defaultClass });
      if (defaultClass && (await cluster.service("web")) === undefined) await cluster.addService("web");
      await cluster.expectShown("web", defaultClass ? ["192.0.2.10"] : []);
      await running.stop();
    }
  });
});

test("a class of MetalLB that is no longer served: its Services are released, and another Service gets the address", async () => {
  await cluster.addPool("lan", ["192.0.2.10"]);
  const metallbClass = "metallb.io/metallb";
  const first = await cluster.start({ metallb: true, metallbClass });
  await cluster.addService("old", { loadBalancerClass: metallbClass });
  await cluster.expectShown("old", ["192.0.2.10"]);
  await first.stop();
  await cluster.start();
  await cluster.expectShown("old", []);
  await cluster.eventually(async () => assert.ok((await cluster.eventsOf("old")).includes("ForeignClass")));
  await cluster.addService("new");
  await cluster.expectShown("new", ["192.0.2.10"]);
  await cluster.deleteService("old");
  assert.equal(await cluster.service("old"), undefined);
});
