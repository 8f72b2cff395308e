import assert from "node:assert/strict";
import { test } from "node:test";
import { poolAnnotation } from "../../../../src/api/labels.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

const named = { annotations: { [poolAnnotation]: "lan" } };

test("an address that came from the pool that the Service names stays when the pool shrinks, also over a restart", async () => {
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  await cluster.start();
  await cluster.addService("web", {}, named);
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
  await cluster.changePool("lan", { addresses: ["192.0.2.15-192.0.2.20"] });
  await cluster.stopAll();
  await cluster.start();
  await cluster.idle();
  assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  assert.equal(await cluster.condition("web"), "True AddressAssigned");
});

test("and when the pool goes", async () => {
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  await cluster.start();
  await cluster.addService("web", {}, named);
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
  await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
  await cluster.stopAll();
  const before = await cluster.service("web");
  await cluster.start();
  await cluster.idle();
  assert.deepEqual(await cluster.service("web"), before);
  assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
});

test("a Service that names its pool moves when another pool now has the address, and the event says so", async () => {
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  await cluster.start();
  await cluster.addService("web", {}, named);
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
  await cluster.changePool("lan", { addresses: ["192.0.2.15-192.0.2.20"] });
  await cluster.addPool("net", ["192.0.2.10"]);
  await cluster.idle();
  await cluster.changeService("web", { metadata: { annotations: { "bellhop.dev/forwarding": "pods" } } });
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.15"]));
  await cluster.eventually(async () =>
    assert.equal(
      (await cluster.eventNotesOf("web")).at(-1),
      "Updated load balancer [192.0.2.10] -> [192.0.2.15]. 192.0.2.10 is in pool net, and the Service names pool lan (annotation bellhop.dev/pool).",
    ),
  );
});

test("a preferred family stays when another pool now has its address and its own pool is gone", async () => {
  await cluster.addPool("lan", ["192.0.2.10", "2001:db8::10"]);
  await cluster.start();
  const dual = { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack", loadBalancerIP: "192.0.2.10" };
  await cluster.addService("web", dual, named);
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["2001:db8::10", "192.0.2.10"]));
  await cluster.addPool("net", ["2001:db8::10-2001:db8::11"]);
  await cluster.idle();
  await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
  await cluster.idle();
  assert.deepEqual(await cluster.shown("web"), ["2001:db8::10", "192.0.2.10"]);
});

test("a request that cannot be met takes no address away, not even when its VirtualIP was deleted by hand", async () => {
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  await cluster.start();
  await cluster.addService("web");
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
  await cluster.changeService("web", { spec: { loadBalancerIP: "198.51.100.7" } });
  await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "False RequestedAddressNotInPool"));
  await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.10") });
  await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 1));
  await cluster.idle();
  assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  assert.equal(await cluster.condition("web"), "False RequestedAddressNotInPool");
});

test("a Service that was refused and leaves type LoadBalancer keeps no condition of ours", async () => {
  await cluster.start();
  await cluster.addService("web");
  await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "False NoPool"));
  await cluster.changeService("web", { spec: { type: "ClusterIP" } });
  await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "none"));
});
