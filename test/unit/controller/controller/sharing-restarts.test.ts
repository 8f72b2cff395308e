import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BellhopError } from "../../../../src/error/error.ts";
import { expectSilentRestart } from "../fake-cluster/expect-silent-restart.ts";
import { holders, port, share } from "../fake-cluster/sharing-services.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]);
});

describe("shared addresses over restarts and lost answers", () => {
  test("Services that showed one address together before we came keep it", async () => {
    for (const [name, number] of [
      ["a", 80],
      ["b", 81],
      ["c", 82],
    ] as const) {
      await cluster.addService(name, { ports: port(number) }, share);
      await cluster.setServiceStatus(name, { loadBalancer: { ingress: [{ ip: "192.0.2.17", ipMode: "VIP" }] } });
    }
    await cluster.addService("new", { ports: port(81) }, share);
    await cluster.start();
    for (const name of ["a", "b", "c"]) await cluster.expectCondition(name, "True AddressAssigned");
    for (const name of ["a", "b", "c"]) assert.deepEqual(await cluster.shown(name), ["192.0.2.17"]);
    await cluster.eventually(async () => assert.deepEqual((await holders(cluster))["192.0.2.17"], ["a", "b", "c"]));
    assert.notDeepEqual(await cluster.shown("new"), ["192.0.2.17"]);
  });

  test("a Service created again under its old name joins the Services that share the address again", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", { metadata: { finalizers: null } });
    await cluster.deleteService("a");
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.eventually(async () => {
      const uid = (await cluster.service("a"))?.metadata?.uid;
      const references = (await cluster.virtualIps())[0]?.spec.services ?? [];
      assert.equal(references.find(({ name }) => name === "a")?.uid, uid);
      assert.equal(references.length, 2);
    });
  });

  for (const step of ["POST", "PATCH", "DELETE"]) {
    test(`the answer to a ${step} of the claim is lost: every Service ends with the right address`, async () => {
      await cluster.start();
      let lost = 0;
      cluster.server.loseAnswer = ({ method, path }) => {
        if (method !== step || !path.includes("virtualips") || lost > 0) return;
        lost++;
        throw new BellhopError("ApiUnreachable", "the answer was lost");
      };
      await cluster.addService("a", { ports: port(80) }, share);
      await cluster.expectShown("a", ["192.0.2.10"]);
      await cluster.addService("b", { ports: port(81) }, share);
      await cluster.expectShown("b", ["192.0.2.10"]);
      await cluster.deleteService("a");
      await cluster.eventually(async () => assert.deepEqual(await holders(cluster), { "192.0.2.10": ["b"] }));
      await cluster.deleteService("b");
      await cluster.eventually(async () => assert.deepEqual(await holders(cluster), {}));
      assert.equal(lost, 1);
    });
  }

  test("one joins while the last holder goes: the address is not taken from under it", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectCondition("a", "True AddressAssigned");
    const before = (await cluster.virtualIps())[0]?.metadata.uid;
    cluster.server.intercept = async ({ method, path }) => {
      if (method !== "DELETE" || !path.includes("virtualips")) return;
      cluster.server.intercept = undefined;
      // Another leader lets b join just now.
      await cluster.addService("b", { ports: port(81) }, share);
      const uid = (await cluster.service("b"))?.metadata?.uid;
      const sharing = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
      const [claim] = await cluster.virtualIps();
      const services = [...(claim?.spec.services ?? []), { namespace: "default", name: "b", uid, sharing }];
      const body = { spec: { services } };
      await cluster.server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    };
    await cluster.deleteService("a");
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.eventually(async () => assert.deepEqual(await holders(cluster), { "192.0.2.10": ["b"] }));
    assert.equal((await cluster.virtualIps())[0]?.metadata.uid, before, "the claim itself was never given up");
  });

  test("with shared addresses in place a restart writes nothing", async () => {
    const first = await cluster.start();
    for (const [index, name] of ["a", "b", "c"].entries()) {
      await cluster.addService(name, { ports: port(80 + index) }, share);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await cluster.eventually(async () => assert.equal((await cluster.pool("lan")).status?.assignedIPv4, "1"));
    await expectSilentRestart(cluster, first);
  });
});
