import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { addNodePool, dropNode, putNode, putSlice, putThreeNodes } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

/** Services on the nodes' own addresses. */
describe("a pool of the nodes' own addresses", () => {
  const cluster = useCluster(async () => {});

  test("assigns the addresses of every node, external ones where a node has them", async () => {
    await putNode(cluster, "n1", { internal: ["192.0.2.1", "2001:db8::1"] });
    await putNode(cluster, "n2", { internal: ["192.0.2.2", "2001:db8::2"], external: ["198.51.100.2"] });
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["2001:db8::1", "2001:db8::2", "192.0.2.1", "198.51.100.2"]);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
    const claims = await cluster.virtualIps();
    assert.deepEqual(
      claims.map(({ spec }) => [spec.address, spec.node, spec.pool, spec.owners]),
      [
        ["192.0.2.1", "n1", "nodes", []],
        ["198.51.100.2", "n2", "nodes", []],
        ["2001:db8::1", "n1", "nodes", []],
        ["2001:db8::2", "n2", "nodes", []],
      ],
    );
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
  });

  test("follows nodes that come and go, with one event each", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    await dropNode(cluster, "n2");
    await cluster.expectShown("web", ["192.0.2.1", "192.0.2.3"]);
    await putNode(cluster, "n3", { internal: ["192.0.2.3"], ready: false });
    await cluster.expectShown("web", ["192.0.2.1"]);
    await putNode(cluster, "n4", { internal: ["192.0.2.4"] });
    await cluster.expectShown("web", ["192.0.2.1", "192.0.2.4"]);
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 2));
    const updates = (await cluster.eventNotesOf("web")).filter((note) => note.startsWith("Updated"));
    assert.deepEqual(updates, [
      "Updated load balancer [192.0.2.1, 192.0.2.2, 192.0.2.3] -> [192.0.2.1, 192.0.2.3]",
      "Updated load balancer [192.0.2.1, 192.0.2.3] -> [192.0.2.1]",
      "Updated load balancer [192.0.2.1] -> [192.0.2.1, 192.0.2.4]",
    ]);
  });

  test("keeps all when no node is heard to be ready", async () => {
    await putNode(cluster, "n1", { internal: ["192.0.2.1"] });
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.1"]);
    await putNode(cluster, "n1", { internal: ["192.0.2.1"], ready: false });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.1"]);
  });

  test("lets Services share the nodes while their ports differ, and keeps one waiting that clashes", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    const all = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    await cluster.addService("web");
    await cluster.expectShown("web", all);
    await cluster.addService("dns", { ports: [{ port: 80, protocol: "UDP" }] });
    await cluster.expectShown("dns", all);
    await cluster.addService("other", { ports: [{ port: 443 }, { port: 80 }] });
    await cluster.expectCondition("other", "False NodeAddressPortTaken");
    assert.deepEqual(await cluster.shown("other"), []);
    const [warning] = (await cluster.eventNotesOf("other")).filter((note) => note.includes("80/TCP"));
    assert.match(
      warning ?? "",
      /Service default\/other .*\(spec\.ports\).* Service default\/web uses 80\/TCP on 192\.0\.2\.1/,
    );
    assert.equal((await cluster.virtualIps()).length, 3);
    await cluster.deleteService("web");
    await cluster.expectShown("other", all);
    assert.deepEqual(await cluster.shown("dns"), all);
  });

  test("a Service that changes to a port of another one yields, with a reason", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("api", { ports: [{ port: 81, protocol: "TCP" }] });
    await cluster.eventually(async () => assert.equal((await cluster.shown("api")).length, 3));
    await cluster.changeService("api", { spec: { ports: [{ port: 80, protocol: "TCP" }] } });
    await cluster.expectCondition("api", "False NodeAddressPortTaken");
    await cluster.expectShown("api", []);
    await cluster.changeService("api", { spec: { ports: [{ port: 82, protocol: "TCP" }] } });
    await cluster.eventually(async () => assert.equal((await cluster.shown("api")).length, 3));
    const ports = (await cluster.virtualIps()).map(({ spec }) => spec.services.map(({ sharing }) => sharing?.ports));
    assert.deepEqual(
      ports.map((lists) => lists.flat().sort()),
      Array(3).fill(["80/TCP", "82/TCP"]),
    );
    assert.equal((await cluster.shown("web")).length, 3);
  });

  test("under Local has only nodes with ready endpoints, and keeps what it has while there is none", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    await cluster.expectCondition("web", "False NoNodeAddress");
    await putSlice(cluster, "web", ["n2"]);
    await cluster.expectShown("web", ["192.0.2.2"]);
    await putSlice(cluster, "web", ["n2", "n3"]);
    await cluster.expectShown("web", ["192.0.2.2", "192.0.2.3"]);
    await putSlice(cluster, "web", []);
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.2", "192.0.2.3"]);
    await putSlice(cluster, "web", ["n1"]);
    await cluster.expectShown("web", ["192.0.2.1"]);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });

  test("under Local two Services have the same port on different nodes; where they meet the first stays", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    for (const [name, node] of [
      ["left", "n1"],
      ["right", "n2"],
    ] as const) {
      await putSlice(cluster, name, [node]);
      await cluster.addService(name, { externalTrafficPolicy: "Local" });
    }
    await cluster.expectShown("left", ["192.0.2.1"]);
    await cluster.expectShown("right", ["192.0.2.2"]);
    await putSlice(cluster, "left", ["n1", "n2"]);
    await cluster.expectCondition("left", "False NodeAddressPortTaken");
    assert.deepEqual(await cluster.shown("left"), ["192.0.2.1"]);
    assert.deepEqual(await cluster.shown("right"), ["192.0.2.2"]);
  });

  test("assigns no port that is reserved for the nodes themselves", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("kubelet", { ports: [{ port: 10250 }] });
    await cluster.expectCondition("kubelet", "False NodeAddressPortReserved");
    assert.deepEqual(await cluster.virtualIps(), []);
    await cluster.addService("web");
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 3));
    await cluster.changePool("nodes", { nodeAddresses: { allowedPorts: ["80/TCP"] } });
    await cluster.changeService("web", { spec: { ports: [{ port: 22, protocol: "TCP" }] } });
    await cluster.expectShown("web", []);
    await cluster.expectCondition("web", "False NodeAddressPortNotAllowed");
    await cluster.changePool("nodes", { nodeAddresses: { allowedPorts: ["22/TCP"] } });
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 3));
    await cluster.changePool("nodes", { nodeAddresses: { reservedPorts: ["22/TCP"] } });
    await cluster.expectCondition("web", "False NodeAddressPortReserved");
    assert.equal((await cluster.shown("web")).length, 3);
    assert.deepEqual(await cluster.shown("kubelet"), []);
  });

  test("two Nodes with one address show it once, and one of them may go", async () => {
    await putNode(cluster, "old", { internal: ["192.0.2.1"] });
    await putNode(cluster, "new", { internal: ["192.0.2.1"] });
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.1"]);
    await dropNode(cluster, "old");
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.1"]);
    assert.ok(!(await cluster.eventNotesOf("web")).some((note) => note.startsWith("Updated")));
    await putNode(cluster, "old", { internal: ["192.0.2.1"] });
    await dropNode(cluster, "new");
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.1"]);
  });

  test("has the nodes that its selectors match; of two pools that match the older", async () => {
    await putNode(cluster, "n1", { internal: ["192.0.2.1"], labels: { edge: "yes" } });
    await putNode(cluster, "n2", { internal: ["192.0.2.2"] });
    await addNodePool(cluster, "edge", { nodeAddresses: { nodeSelectors: [{ matchLabels: { edge: "yes" } }] } });
    await addNodePool(cluster, "rest", { autoAssign: false });
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("inner", {}, { annotations: { "bellhop.dev/pool": "rest" } });
    await cluster.expectShown("web", ["192.0.2.1"]);
    await cluster.expectShown("inner", ["192.0.2.2"]);
    await putNode(cluster, "n2", { internal: ["192.0.2.2"], labels: { edge: "yes" } });
    await cluster.expectCondition("inner", "False NoNodeAddress");
    await cluster.expectCondition("web", "False NodeAddressPortTaken");
    // The node is in another pool now, and no Service loses its address for that.
    assert.deepEqual(await cluster.shown("inner"), ["192.0.2.2"]);
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.1"]);
  });

  test("that is deleted takes nothing away, and what remains is flagged", async () => {
    await putThreeNodes(cluster);
    await addNodePool(cluster, "nodes");
    await cluster.start();
    await cluster.addService("web");
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 3));
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "nodes") });
    await cluster.eventually(async () => {
      for (const { status } of await cluster.virtualIps()) {
        assert.deepEqual(
          status?.conditions?.map(({ type, reason }) => [type, reason]),
          [["InPool", "AddressOutsidePool"]],
        );
      }
    });
    assert.equal((await cluster.shown("web")).length, 3);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });
});
