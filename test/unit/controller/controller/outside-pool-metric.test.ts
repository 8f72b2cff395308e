import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("bellhop_addresses_outside_pool", () => {
  test("counts what Services keep by the pool that it came from, and nothing else; a standby reports the same", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"], { holdAfterDelete: "1h" });
    await cluster.addPool("six", ["2001:db8::10"]);
    const { registry } = await cluster.start();
    const standby = await cluster.start({}, cluster.server, false);
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    await cluster.addVirtualIp("192.0.2.99", {
      address: "192.0.2.99",
      services: [{ namespace: "default", name: "r" }],
    });
    await cluster.addService("a", dual);
    await cluster.expectShown("a", ["192.0.2.10", "2001:db8::10"]);
    await cluster.addService("b");
    await cluster.expectShown("b", ["192.0.2.11"]);
    await cluster.addService("gone");
    await cluster.expectShown("gone", ["192.0.2.12"]);
    await cluster.deleteService("gone");
    await cluster.addService("r");
    await cluster.expectShown("r", ["192.0.2.99"]);
    await cluster.eventually(async () =>
      assert.ok((await cluster.virtualIp("192.0.2.12"))?.spec.heldUntil !== undefined),
    );
    const expectMetric = async (lines: readonly string[]): Promise<void> => {
      for (const source of [registry, standby.registry]) {
        await cluster.eventually(async () => {
          const found = (await source.metrics())
            .split("\n")
            .filter((line) => line.startsWith("bellhop_addresses_outside_pool{"));
          assert.deepEqual(found.sort(), lines);
        });
      }
    };
    await expectMetric([]);
    await cluster.changePool("lan", { addresses: ["192.0.2.11"] });
    await expectMetric(['bellhop_addresses_outside_pool{pool="lan"} 1']);
    await cluster.changePool("lan", { addresses: ["192.0.2.20"] });
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "six") });
    await expectMetric([
      'bellhop_addresses_outside_pool{pool="lan"} 2',
      'bellhop_addresses_outside_pool{pool="six"} 1',
    ]);
    await cluster.deleteService("b");
    await expectMetric([
      'bellhop_addresses_outside_pool{pool="lan"} 1',
      'bellhop_addresses_outside_pool{pool="six"} 1',
    ]);
    await cluster.changePool("lan", { addresses: ["192.0.2.10"] });
    await cluster.addPool("net", ["2001:db8::/64"]);
    await expectMetric([]);
  });
});
