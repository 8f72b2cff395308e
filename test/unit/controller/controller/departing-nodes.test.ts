import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { putSlice } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("addresses of nodes that depart", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
  });

  async function firstOwners(): Promise<readonly (string | undefined)[]> {
    return (await cluster.virtualIps()).map(({ spec }) => spec.owners[0]);
  }

  const departures: readonly {
    readonly name: string;
    readonly depart: () => Promise<unknown>;
    readonly stay: () => Promise<unknown>;
  }[] = [
    {
      name: "is cordoned",
      depart: () => cluster.patch("/api/v1/nodes/n2", { spec: { unschedulable: true } }),
      stay: () => cluster.patch("/api/v1/nodes/n2", { spec: { unschedulable: null } }),
    },
    {
      name: "is drained",
      depart: () =>
        cluster.patch(ownPath("speakers", "n2"), { metadata: { annotations: { "bellhop.dev/drain": "true" } } }),
      stay: () =>
        cluster.patch(ownPath("speakers", "n2"), { metadata: { annotations: { "bellhop.dev/drain": null } } }),
    },
    {
      name: "is about to be removed by an autoscaler",
      depart: () =>
        cluster.patch("/api/v1/nodes/n2", { spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler" }] } }),
      stay: () => cluster.patch("/api/v1/nodes/n2", { spec: { taints: null } }),
    },
  ];
  for (const { name, depart, stay } of departures) {
    test(`a node that ${name} loses its addresses to others, gets no new ones, and takes its share when it stays after all`, async () => {
      await cluster.start();
      for (const service of ["a", "b", "c", "d"]) await cluster.addService(service);
      for (const service of ["a", "b", "c", "d"]) await cluster.expectCondition(service, "True AddressAssigned");
      assert.equal((await firstOwners()).filter((node) => node === "n2").length, 2);
      await depart();
      await cluster.eventually(async () => assert.deepEqual(await firstOwners(), ["n1", "n1", "n1", "n1"]));
      for (const { spec } of await cluster.virtualIps())
        assert.deepEqual(spec.owners, ["n1", "n2"], "it may still wait");
      await cluster.addService("e");
      await cluster.expectCondition("e", "True AddressAssigned");
      assert.equal((await firstOwners()).filter((node) => node === "n2").length, 0);
      await stay();
      await cluster.eventually(async () =>
        assert.equal((await firstOwners()).filter((node) => node === "n2").length, 2),
      );
    });
  }

  test("a cordoned node keeps an address that no other node can announce", async () => {
    await cluster.start();
    await cluster.silenceNode("n1");
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.patch("/api/v1/nodes/n2", { spec: { unschedulable: true } });
    await cluster.idle();
    assert.deepEqual(await firstOwners(), ["n2"]);
  });

  test("a cordoned node keeps an address under Local while it alone has ready endpoints", async () => {
    await putSlice(cluster, "web", ["n2"]);
    await cluster.start();
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.patch("/api/v1/nodes/n2", { spec: { unschedulable: true } });
    await cluster.idle();
    assert.deepEqual(await firstOwners(), ["n2"]);
    await putSlice(cluster, "web", ["n1", "n2"]);
    await cluster.eventually(async () => assert.deepEqual(await firstOwners(), ["n1"]));
  });
});
