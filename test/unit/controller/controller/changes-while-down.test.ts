import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("what happened while no controller ran", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const first = await cluster.start();
    for (const name of ["deleted", "changed", "stays"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await first.stop();
  });

  test("deleted, turned into ClusterIP: finalizers and claims go; the one that stays keeps all", async () => {
    const kept = await cluster.shown("stays");
    await cluster.deleteService("deleted");
    await cluster.changeService("changed", { spec: { type: "ClusterIP" } });
    assert.deepEqual(await cluster.shown("changed"), [], "the API server has emptied its status");
    await cluster.start();
    await cluster.eventually(async () => assert.equal(await cluster.service("deleted"), undefined));
    await cluster.eventually(async () =>
      assert.deepEqual((await cluster.service("changed"))?.metadata?.finalizers ?? [], []),
    );
    await cluster.eventually(async () => assert.equal((await cluster.virtualIpNames()).length, 1));
    assert.deepEqual(await cluster.shown("stays"), kept);
  });

  test("deleted and created again under the same name: the new one gets a claim of its own", async () => {
    await cluster.changeService("deleted", { metadata: { finalizers: null } });
    await cluster.deleteService("deleted");
    await cluster.addService("deleted");
    await cluster.start();
    await cluster.expectCondition("deleted", "True AddressAssigned");
    const uid = (await cluster.service("deleted"))?.metadata?.uid;
    await cluster.eventually(async () => {
      const claims = (await cluster.virtualIps()).filter(({ spec }) => spec.services[0]?.name === "deleted");
      assert.deepEqual(
        claims.map(({ spec }) => spec.services[0]?.uid),
        [uid],
      );
    });
  });
});
