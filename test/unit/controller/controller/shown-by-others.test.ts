import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

const shows = (...texts: readonly string[]) => ({
  loadBalancer: { ingress: texts.map((ip) => ({ ip, ipMode: "VIP" })) },
});
const requests = (text: string) => ({ annotations: { "bellhop.dev/ips": text } });

/** What keeps a Service that shows an address of a pool from getting what it requests. */
const refusals: Readonly<Record<string, readonly [spec: Record<string, unknown>, metadata: Record<string, unknown>]>> =
  {
    "an address that cannot be read": [{}, requests("web")],
    "an address of no pool": [{}, requests("198.51.100.1")],
    "an address of another family": [{}, requests("2001:db8::1")],
    "two addresses of one family": [{}, requests("192.0.2.9, 192.0.2.10")],
    "a pool that does not exist": [{}, { annotations: { "bellhop.dev/pool": "web" } }],
    "both families": [{ ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" }, {}],
    "an address of a family that the Service no longer has": [{ ipFamilies: ["IPv6"] }, {}],
  };

describe("an address of a pool that a Service shows without our marks", () => {
  for (const [what, [spec, metadata]] of Object.entries(refusals)) {
    for (const before of [true, false]) {
      test(`goes to no other Service while the request is refused: ${what}, shown ${before ? "before the start" : "later"}`, async () => {
        await cluster.addPool("lan", ["192.0.2.9-192.0.2.15"]);
        const show = async (): Promise<void> => {
          await cluster.addService("first", spec, metadata);
          await cluster.setServiceStatus("first", shows("192.0.2.9"));
        };
        if (before) await show();
        await cluster.start();
        if (!before) await show();
        await cluster.idle();
        assert.deepEqual(await cluster.shown("first"), ["192.0.2.9"]);
        for (const name of ["second", "third"]) await cluster.addService(name);
        await cluster.addService("asks", { loadBalancerIP: "192.0.2.9" });
        await cluster.expectShown("second", ["192.0.2.10"]);
        await cluster.expectShown("third", ["192.0.2.11"]);
        await cluster.expectCondition("asks", "False RequestedAddressTaken");
        assert.deepEqual(await cluster.shown("first"), ["192.0.2.9"]);
      });
    }
  }

  test("is free as soon as no Service shows it", async () => {
    await cluster.addPool("lan", ["192.0.2.9"]);
    await cluster.addService("first", { loadBalancerClass: "example.com/other" });
    await cluster.setServiceStatus("first", shows("192.0.2.9"));
    await cluster.start();
    await cluster.addService("second");
    await cluster.expectCondition("second", "False PoolExhausted");
    await cluster.setServiceStatus("first", { loadBalancer: null });
    await cluster.expectShown("second", ["192.0.2.9"]);
  });
});

describe("a shared address that another Service shows, too, without having it", () => {
  const share = { annotations: { "bellhop.dev/share": "front" } };
  const ports = (port: number) => ({ ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] });

  for (const [what, leave] of [
    ["no longer shows it", () => cluster.setServiceStatus("stray", { loadBalancer: null })],
    ["is being deleted", () => cluster.deleteService("stray")],
  ] as const) {
    test(`is joined as soon as that Service ${what}`, async () => {
      await cluster.addPool("lan", ["192.0.2.9-192.0.2.15"]);
      await cluster.start();
      await cluster.addService("first", { ...ports(80), loadBalancerIP: "192.0.2.9" }, share);
      await cluster.expectShown("first", ["192.0.2.9"]);
      const finalizers = ["example.com/lb"];
      await cluster.addService("stray", { loadBalancerClass: "example.com/other" }, { finalizers });
      await cluster.setServiceStatus("stray", shows("192.0.2.9"));
      await cluster.addService("second", { ...ports(81), loadBalancerIP: "192.0.2.9" }, share);
      await cluster.expectCondition("second", "False RequestedAddressTaken");
      await leave();
      await cluster.expectShown("second", ["192.0.2.9"]);
    });
  }
});
