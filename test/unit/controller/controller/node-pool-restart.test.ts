import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addNodePool, dropNode, putNode, putThreeNodes } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

describe("a pool of the nodes' own addresses among others", () => {
  const cluster = useCluster(async () => {});

  test("is tried in its turn among pools, and a Service has addresses of one kind only", async () => {
    await putThreeNodes(cluster);
    await cluster.addPool("lan", ["192.0.2.50-192.0.2.60"], { serviceAllocation: { priority: 10 } });
    await addNodePool(cluster, "nodes", { serviceAllocation: { priority: 20 } });
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" });
    await cluster.expectShown("web", ["192.0.2.50"]);
    await cluster.changeService("web", { metadata: { annotations: { "bellhop.dev/pool": "nodes" } } });
    const own = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2", "2001:db8::3"];
    await cluster.expectShown("web", own);
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 6));
    await cluster.changeService("web", { metadata: { annotations: { "bellhop.dev/pool": null } } });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), own);
    await cluster.changeService("web", { metadata: { annotations: { "bellhop.dev/pool": "lan" } } });
    await cluster.expectShown("web", ["192.0.2.50"]);
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 1));
  });

  test("that drains keeps what it assigned and adds no node", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 3));
    await cluster.changePool("nodes", { state: "Draining" });
    await putNode(cluster, "n4", { internal: ["192.0.2.4"] });
    await cluster.addService("api", { ports: [{ port: 81 }] });
    await cluster.expectCondition("api", "False PoolDraining");
    assert.equal((await cluster.shown("web")).length, 3);
    await dropNode(cluster, "n1");
    await cluster.expectShown("web", ["192.0.2.2", "192.0.2.3"]);
  });

  test("takes over what another program had shown, and after a restart writes nothing", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.addPool("lan", ["192.0.2.50-192.0.2.60"]);
    await cluster.addService("web");
    await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: "192.0.2.2" }, { ip: "192.0.2.3" }] } });
    await cluster.start();
    await cluster.expectShown("web", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.stopAll();
    const before = cluster.server.writes.filter(({ path }) => !path.includes("ipaddresspools")).length;
    await cluster.start();
    await cluster.idle();
    const after = cluster.server.writes.filter(({ path }) => !path.includes("ipaddresspools")).length;
    assert.equal(after, before);
  });

  test("two controllers that both lead never assign one port twice", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.start();
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => cluster.addService(name)));
    await cluster.eventually(async () => {
      const conditions = await Promise.all(names.map((name) => cluster.condition(name)));
      assert.equal(conditions.filter((text) => text === "True AddressAssigned").length, 1);
      assert.equal(conditions.filter((text) => text === "False NodeAddressPortTaken").length, 3);
    });
    for (const { spec } of await cluster.virtualIps()) assert.equal(spec.services.length, 1);
  });

  test("counts the addresses of its nodes, and says when it has none", async () => {
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.eventually(async () => {
      const { status } = await cluster.pool("nodes");
      assert.equal(status?.conditions?.[0]?.reason, "NoNodeAddress");
    });
    await putThreeNodes(cluster);
    await cluster.addService("web");
    await cluster.eventually(async () => {
      const { status } = await cluster.pool("nodes");
      assert.deepEqual(
        [status?.assignedIPv4, status?.availableIPv4, status?.assignedIPv6, status?.availableIPv6],
        ["3", "3", "0", "3"],
      );
      assert.equal(status?.conditions?.[0]?.reason, "InUse");
    });
  });

  test("is rejected where it has fields that do not apply to it", async () => {
    await addNodePool(cluster, "both", { addresses: ["192.0.2.50"] });
    await cluster.start();
    await cluster.eventually(async () => {
      const { status } = await cluster.pool("both");
      assert.equal(status?.conditions?.[0]?.reason, "PoolOfNodesMisfit");
    });
  });
});
