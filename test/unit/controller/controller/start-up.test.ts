import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expectSilentRestart } from "../fake-cluster/expect-silent-restart.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("starting", () => {
  test("with everything in place a restart writes nothing", async () => {
    await cluster.addNode("n2");
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const first = await cluster.start();
    for (const name of ["a", "b", "c"]) await cluster.addService(name);
    for (const name of ["a", "b", "c"]) await cluster.expectCondition(name, "True AddressAssigned");
    await cluster.eventually(async () => assert.equal((await cluster.pool("lan")).status?.assignedIPv4, "3"));
    await expectSilentRestart(cluster, first);
  });

  test("addresses that are shown are adopted before any other is assigned; of two that show one the older keeps it", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addService("new");
    await cluster.addService("older");
    await cluster.addService("younger");
    for (const name of ["older", "younger"]) {
      await cluster.setServiceStatus(name, { loadBalancer: { ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] } });
    }
    await cluster.start();
    await cluster.expectShown("new", ["192.0.2.11"]);
    await cluster.expectShown("older", ["192.0.2.10"]);
    await cluster.eventually(async () => assert.notDeepEqual(await cluster.shown("younger"), ["192.0.2.10"]));
    await cluster.expectCondition("younger", "True AddressAssigned");
  });

  test("claims whose Service is gone are released", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await first.stop();
    await cluster.changeService("web", { metadata: { finalizers: null } });
    await cluster.deleteService("web");
    await cluster.start();
    await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
  });

  test("two controllers that both believe they lead never assign one address twice", async () => {
    await cluster.addPool("lan", ["192.0.2.0/26"]);
    await cluster.start();
    await cluster.start();
    for (let index = 0; index < 40; index++) await cluster.addService(`web${index}`);
    const shown = async (): Promise<string[]> =>
      (await cluster.services()).flatMap((service) => service.status?.loadBalancer?.ingress?.[0]?.ip ?? []);
    await cluster.eventually(async () => assert.equal((await shown()).length, 40));
    await cluster.idle();
    await cluster.eventually(async () => {
      const addresses = await shown();
      assert.equal(new Set(addresses).size, 40);
      assert.deepEqual(await cluster.virtualIpNames(), [...addresses].sort());
    });
  });

  test("two controllers that both believe they lead do not move addresses back and forth", async () => {
    await cluster.addNode("n2");
    await cluster.addNode("n3");
    await cluster.addPool("lan", ["192.0.2.0/26"]);
    await cluster.start();
    await cluster.start();
    for (let index = 0; index < 20; index++) await cluster.addService(`web${index}`);
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 20));
    await cluster.idle();
    const before = cluster.server.writes.length;
    await cluster.idle();
    await cluster.idle();
    const writes = cluster.server.writes.slice(before).filter(({ path }) => path.includes("virtualips"));
    assert.deepEqual(writes, []);
  });
});
