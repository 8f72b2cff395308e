import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

const theirs = ["172.30.0.11", "172.30.0.12"];
const shows = (texts: readonly string[]) => ({ loadBalancer: { ingress: texts.map((ip) => ({ ip, ipMode: "VIP" })) } });
const finalizers = [loadBalancerFinalizer];

/** What a Service is that another controller serves, and that Bellhop cannot. */
const refusals = {
  "there is no pool": { pool: undefined, metadata: {}, spec: {} },
  "no pool assigns without a request": { pool: { autoAssign: false }, metadata: {}, spec: {} },
  "it requests an address of no pool": { pool: {}, metadata: {}, spec: { loadBalancerIP: "198.51.100.1" } },
  "it names no pool that exists": { pool: {}, metadata: { annotations: { "bellhop.dev/pool": "web" } }, spec: {} },
} as const;

async function writesTo(name: string): Promise<number> {
  return cluster.server.writes.filter(({ path }) => path.includes(`/services/${name}`)).length;
}

describe("a Service that another controller serves", () => {
  for (const [what, { pool, metadata, spec }] of Object.entries(refusals)) {
    test(`is not written to while Bellhop has no address for it: ${what}`, async () => {
      if (pool !== undefined) await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"], pool);
      await cluster.addService("web", spec, { ...metadata, finalizers });
      await cluster.setServiceStatus("web", shows(theirs));
      const before = await writesTo("web");
      const first = await cluster.start();
      await cluster.idle();
      await first.stop();
      await cluster.start();
      await cluster.idle();
      assert.deepEqual(await cluster.shown("web"), theirs);
      assert.equal(await writesTo("web"), before);
      await cluster.deleteService("web");
      await cluster.idle();
      assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers, finalizers, "the other one removes it");
      assert.equal(await writesTo("web"), before + 1, "only the deletion");
    });
  }

  test("keeps its finalizer and its address after Bellhop has refused it, also across a restart", async () => {
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "False NoPool");
    await cluster.changeService("web", { metadata: { finalizers } });
    await cluster.setServiceStatus("web", shows(theirs));
    await cluster.idle();
    await first.stop();
    await cluster.start();
    await cluster.addPool("lan", ["192.0.2.10"], { autoAssign: false });
    await cluster.expectCondition("web", "False NoPoolForService");
    assert.deepEqual(await cluster.shown("web"), theirs);
    await cluster.deleteService("web");
    await cluster.idle();
    assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers, finalizers);
  });

  test("is Bellhop's once a pool has an address for it, and goes when it is deleted", async () => {
    await cluster.addService("web", {}, { finalizers });
    await cluster.setServiceStatus("web", shows(theirs));
    await cluster.start();
    await cluster.idle();
    await cluster.addPool("lan", ["192.0.2.10"]);
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    assert.deepEqual(await cluster.virtualIps(), []);
  });
});

describe("a Service that Bellhop refuses after it had an address", () => {
  test("has no finalizer any longer, and can be deleted", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const sharing = (port: number) => ({ ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] });
    const annotations = { "bellhop.dev/share": "front" };
    await cluster.start();
    await cluster.addService("first", sharing(80), { annotations });
    await cluster.expectShown("first", ["192.0.2.10"]);
    await cluster.addService("second", sharing(81), { annotations });
    await cluster.expectShown("second", ["192.0.2.10"]);
    await cluster.changeService("second", { spec: sharing(80) });
    await cluster.expectShown("second", []);
    assert.deepEqual((await cluster.service("second"))?.metadata?.finalizers ?? [], []);
    await cluster.deleteService("second");
    await cluster.eventually(async () => assert.equal(await cluster.service("second"), undefined));
    assert.deepEqual(await cluster.shown("first"), ["192.0.2.10"]);
  });
});
