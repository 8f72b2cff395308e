import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";
import { eventually, quiet } from "./eventually.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";

let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.addNode("n1");
});

afterEach(() => cluster.stopAll());

describe("giving addresses", () => {
  test("claims, shows all ports with ipMode VIP, and tells it", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "web", port: 80, protocol: "TCP" },
    ];
    await cluster.addService("web", { ports });
    await cluster.expectCondition("web", "True AddressAssigned");
    const service = await cluster.service("web");
    assert.deepEqual(service?.status?.loadBalancer?.ingress, [
      {
        ip: "192.0.2.10",
        ipMode: "VIP",
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 80, protocol: "TCP" },
        ],
      },
    ]);
    assert.deepEqual(service?.metadata?.finalizers, [finalizer]);
    const [claim] = await cluster.virtualIps();
    assert.equal(claim?.metadata.name, "192.0.2.10");
    assert.deepEqual(claim?.spec.services, [{ namespace: "default", name: "web", uid: service?.metadata?.uid }]);
    assert.deepEqual(claim?.spec.owners, ["n1"]);
    await eventually(async () =>
      assert.deepEqual(await cluster.eventsOf("web"), ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]),
    );
  });

  test("a Service costs one claim and one patch", async () => {
    await cluster.addPool("lan", ["192.0.2.0/24"]);
    await cluster.start();
    await quiet();
    const before = cluster.server.writes.length;
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.1"]);
    await quiet();
    const writes = cluster.server.writes.slice(before + 1).map(({ method, path }) => `${method} ${path}`);
    const status = "PATCH /api/v1/namespaces/default/services/web/status";
    assert.deepEqual(
      writes.filter((text) => !text.includes("/events") && !text.includes("ipaddresspools")),
      ["POST /apis/bellhop.dev/v1beta1/virtualips", status],
    );
  });

  test("dual stack: one address per family, in the order of ipFamilies", async () => {
    await cluster.addPool("lan", ["192.0.2.10/32", "2001:db8::10-2001:db8::20"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["2001:db8::10", "192.0.2.10"]);
  });

  test("RequireDualStack gets both or none, PreferDualStack what there is", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    const ipFamilies = ["IPv4", "IPv6"];
    await cluster.addService("must", { ipFamilies, ipFamilyPolicy: "RequireDualStack" });
    await cluster.addService("likes", { ipFamilies, ipFamilyPolicy: "PreferDualStack" });
    await cluster.expectCondition("must", "False NoPoolForService");
    await cluster.expectShown("likes", ["192.0.2.10"]);
    await cluster.expectCondition("likes", "True AddressAssigned");
    await cluster.addPool("six", ["2001:db8::10-2001:db8::20"]);
    await cluster.expectShown("must", ["192.0.2.11", "2001:db8::10"]);
    await cluster.expectShown("likes", ["192.0.2.10", "2001:db8::11"]);
  });

  test("many Services at once get different addresses, and the rest a reason until some are free", async () => {
    await cluster.addPool("lan", ["192.0.2.1-192.0.2.20"]);
    await cluster.start();
    for (let index = 0; index < 25; index++) await cluster.addService(`web${index}`);
    const shown = async (): Promise<string[]> =>
      (await cluster.services()).flatMap((service) => service.status?.loadBalancer?.ingress?.[0]?.ip ?? []);
    await eventually(async () => assert.equal((await shown()).length, 20));
    assert.equal(new Set(await shown()).size, 20);
    await eventually(async () => {
      const conditions = await Promise.all(
        (await cluster.services()).map(({ metadata }) => cluster.condition(metadata?.name ?? "")),
      );
      assert.equal(conditions.filter((text) => text === "False PoolExhausted").length, 5);
    });
    const [first] = (await cluster.services()).filter((service) => service.status?.loadBalancer?.ingress !== undefined);
    await cluster.deleteService(first?.metadata?.name ?? "");
    await eventually(async () => assert.equal((await shown()).length, 20));
  });

  test("the edges of a subnet and what stands on an interface are never given", async () => {
    await cluster.addNode("n2", ["192.0.2.1/29", "2001:db8::1/64"]);
    await cluster.addPool("lan", ["192.0.2.0/29", "2001:db8::-2001:db8::2"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["192.0.2.2", "2001:db8::2"]);
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.7" });
    await cluster.expectCondition("asks", "False RequestedAddressTaken");
  });

  test("an address that a node or spec.externalIPs uses is never given", async () => {
    await cluster.server.request({
      method: "POST",
      path: "/api/v1/nodes",
      body: { metadata: { name: "n2" }, status: {} },
    });
    await cluster.server.request({
      method: "PATCH",
      path: "/api/v1/nodes/n2/status",
      body: { status: { addresses: [{ type: "InternalIP", address: "192.0.2.10" }] } },
      contentType: "application/merge-patch+json",
    });
    await cluster.addService("old", { type: "ClusterIP", externalIPs: ["192.0.2.11"] });
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.10" });
    await cluster.expectShown("web", ["192.0.2.12"]);
    await cluster.expectCondition("asks", "False RequestedAddressTaken");
  });
});

describe("asking for an address", () => {
  const cases = [
    {
      name: "gets it",
      spec: { loadBalancerIP: "192.0.2.15" },
      shown: ["192.0.2.15"],
      condition: "True AddressAssigned",
    },
    { name: "garbage", spec: { loadBalancerIP: "not-an-ip" }, condition: "False RequestedAddressInvalid" },
    { name: "leading zero", spec: { loadBalancerIP: "192.0.2.015" }, condition: "False RequestedAddressInvalid" },
    { name: "wrong family", spec: { loadBalancerIP: "2001:db8::10" }, condition: "False RequestedAddressWrongFamily" },
    { name: "in no pool", spec: { loadBalancerIP: "198.51.100.1" }, condition: "False RequestedAddressNotInPool" },
    { name: "taken", spec: { loadBalancerIP: "192.0.2.10" }, condition: "False RequestedAddressTaken" },
    { name: "unknown pool", annotation: "nowhere", condition: "False PoolNotFound" },
    { name: "by pool", annotation: "special", shown: ["192.0.2.100"], condition: "True AddressAssigned" },
    { name: "closed pool", annotation: "closed", condition: "False PoolForbidsService" },
    { name: "broken pool", annotation: "broken", condition: "False PoolUnusable" },
  ];
  for (const { name, spec = {}, annotation, shown = [], condition } of cases) {
    test(name, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
      await cluster.addPool("special", ["192.0.2.100"], { autoAssign: false });
      await cluster.addPool("closed", ["192.0.2.101"], { serviceAllocation: { namespaces: ["elsewhere"] } });
      await cluster.addPool("broken", ["192.0.2.1/24"]);
      await cluster.start();
      await cluster.addService("first");
      await cluster.expectShown("first", ["192.0.2.10"]);
      const annotations = annotation === undefined ? {} : { "bellhop.dev/pool": annotation };
      await cluster.addService("web", spec, { annotations });
      await cluster.expectCondition("web", condition);
      assert.deepEqual(await cluster.shown("web"), shown);
    });
  }

  test("a change moves it; an impossible change keeps what it has and says why", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { spec: { loadBalancerIP: "192.0.2.15" } });
    await cluster.expectShown("web", ["192.0.2.15"]);
    await eventually(async () =>
      assert.deepEqual(
        (await cluster.virtualIps()).map(({ metadata }) => metadata.name),
        ["192.0.2.15"],
      ),
    );
    await cluster.changeService("web", { spec: { loadBalancerIP: "198.51.100.1" } });
    await cluster.expectCondition("web", "False RequestedAddressNotInPool");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.15"]);
    assert.ok((await cluster.eventsOf("web")).includes("RequestedAddressNotInPool"));
  });

  test("a reservation of the user is kept for its Service and never removed", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addVirtualIp("192.0.2.10", {
      address: "192.0.2.10",
      services: [{ namespace: "default", name: "web" }],
    });
    await cluster.addVirtualIp("192.0.2.11", { address: "192.0.2.11" });
    await cluster.start();
    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.12"]);
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n1"]));
    await cluster.deleteService("web");
    await eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await quiet();
    assert.deepEqual(
      (await cluster.virtualIps()).map(({ metadata }) => metadata.name),
      ["192.0.2.10", "192.0.2.11", "192.0.2.12"],
    );
  });
});

describe("letting go", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  });

  test("deletion: claim first, finalizer last", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await quiet();
    const before = cluster.server.writes.length;
    await cluster.deleteService("web");
    await eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await quiet();
    assert.deepEqual(await cluster.virtualIps(), []);
    const writes = cluster.server.writes.slice(before + 1).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      writes.filter((text) => !text.includes("/events") && !text.includes("ipaddresspools")),
      [
        "DELETE /apis/bellhop.dev/v1beta1/virtualips/192.0.2.10",
        "PATCH /api/v1/namespaces/default/services/web/status",
      ],
    );
    const reasons = (await cluster.eventsOf("web")).slice(-2);
    assert.deepEqual(reasons, ["DeletingLoadBalancer", "DeletedLoadBalancer"]);
  });

  test("leaving type LoadBalancer releases all and takes our marks off, and coming back gives an address again", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
    await eventually(async () => assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers ?? [], []));
    assert.deepEqual(await cluster.virtualIps(), []);
    assert.equal(await cluster.condition("web"), "none");
    await cluster.changeService("web", { spec: { type: "LoadBalancer" } });
    await cluster.expectShown("web", ["192.0.2.10"]);
  });

  test("another class is never written to", async () => {
    await cluster.start();
    await cluster.addService("theirs", { loadBalancerClass: "example.com/other" }, { finalizers: [finalizer] });
    await cluster.setServiceStatus("theirs", { loadBalancer: { ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] } });
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.10"]);
    await cluster.deleteService("theirs");
    await quiet();
    assert.deepEqual((await cluster.service("theirs"))?.metadata?.finalizers, [finalizer]);
    const written = cluster.server.writes.filter(({ path }) => path.includes("/services/theirs"));
    assert.equal(written.length, 2, "only the test itself wrote");
  });

  test("one that goes over to another class between two looks of ours is left without our marks, and given back", async () => {
    const first = await cluster.start();
    for (const name of ["fast", "served"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await first.stop();
    for (const name of ["fast", "served"]) {
      await cluster.changeService(name, { spec: { type: "ClusterIP" } });
      await cluster.changeService(name, { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } });
    }
    await cluster.setServiceStatus("served", { loadBalancer: { ingress: [{ ip: "203.0.113.1", ipMode: "VIP" }] } });
    await cluster.start();
    await eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
    assert.deepEqual((await cluster.service("fast"))?.metadata?.finalizers ?? [], []);
    assert.equal(await cluster.condition("fast"), "none");
    assert.deepEqual((await cluster.service("served"))?.metadata?.finalizers, [finalizer], "it may be theirs by now");
    assert.deepEqual(await cluster.shown("served"), ["203.0.113.1"]);
  });

  test("one that goes over to another class while we take it down is left without our marks", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    cluster.server.intercept = async ({ method, path }) => {
      if (method !== "DELETE" || !path.includes("virtualips")) return;
      cluster.server.intercept = undefined;
      await cluster.changeService("web", { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } });
    };
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
    await eventually(async () =>
      assert.equal((await cluster.service("web"))?.spec?.loadBalancerClass, "example.com/other"),
    );
    await eventually(async () => assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers ?? [], []));
    assert.equal(await cluster.condition("web"), "none");
    assert.deepEqual(await cluster.virtualIps(), []);
  });

  test("a finalizer that was never ours stays", async () => {
    await cluster.start();
    await cluster.addService("web", { type: "ClusterIP" }, { finalizers: [finalizer] });
    await quiet();
    assert.deepEqual((await cluster.service("web"))?.metadata?.finalizers, [finalizer]);
  });

  test("without default class, Services without class are nobody's", async () => {
    await cluster.start({ defaultClass: false });
    await cluster.addService("none");
    await cluster.addService("ours", { loadBalancerClass: "bellhop.dev/bellhop" });
    await cluster.expectShown("ours", ["192.0.2.10"]);
    assert.equal(await cluster.condition("none"), "none");
  });

  test("a Service made anew under the same name gets a claim of its own", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { metadata: { finalizers: null } });
    await cluster.deleteService("web");
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await eventually(async () => {
      const [claim] = await cluster.virtualIps();
      assert.equal(claim?.spec.services[0]?.uid, (await cluster.service("web"))?.metadata?.uid);
    });
  });

  test("a VirtualIP that somebody deletes is made again with the same address", async () => {
    await cluster.start();
    await cluster.addService("a");
    await cluster.expectShown("a", ["192.0.2.10"]);
    await quiet();
    const path = "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.10";
    await cluster.server.request({ method: "DELETE", path });
    await eventually(async () => assert.equal((await cluster.virtualIps())[0]?.metadata.name, "192.0.2.10"));
    assert.deepEqual(await cluster.shown("a"), ["192.0.2.10"]);
  });
});

describe("starting", () => {
  test("with everything in place a restart writes nothing", async () => {
    await cluster.addNode("n2");
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const first = await cluster.start();
    for (const name of ["a", "b", "c"]) await cluster.addService(name);
    for (const name of ["a", "b", "c"]) await cluster.expectCondition(name, "True AddressAssigned");
    await eventually(async () => assert.equal((await cluster.pool("lan")).status?.assignedIPv4, "3"));
    await quiet();
    await first.stop();
    const before = cluster.server.writes.length;
    await cluster.start();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.deepEqual(cluster.server.writes.slice(before), []);
  });

  test("addresses that are shown are adopted before any other is given; of two that show one the older keeps it", async () => {
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
    await eventually(async () => assert.notDeepEqual(await cluster.shown("younger"), ["192.0.2.10"]));
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
    await eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
  });

  test("two that both believe to lead never give one address twice", async () => {
    await cluster.addPool("lan", ["192.0.2.0/26"]);
    await cluster.start();
    await cluster.start();
    for (let index = 0; index < 40; index++) await cluster.addService(`web${index}`);
    const shown = async (): Promise<string[]> =>
      (await cluster.services()).flatMap((service) => service.status?.loadBalancer?.ingress?.[0]?.ip ?? []);
    await eventually(async () => assert.equal((await shown()).length, 40));
    await quiet();
    await eventually(async () => {
      const addresses = await shown();
      assert.equal(new Set(addresses).size, 40);
      const claims = await cluster.virtualIps();
      assert.deepEqual(claims.map(({ metadata }) => metadata.name).sort(), [...addresses].sort());
    });
  });

  test("two that both believe to lead do not push addresses to and fro", async () => {
    await cluster.addNode("n2");
    await cluster.addNode("n3");
    await cluster.addPool("lan", ["192.0.2.0/26"]);
    await cluster.start();
    await cluster.start();
    for (let index = 0; index < 20; index++) await cluster.addService(`web${index}`);
    await eventually(async () => assert.equal((await cluster.virtualIps()).length, 20));
    await quiet();
    const before = cluster.server.writes.length;
    await quiet();
    await quiet();
    const writes = cluster.server.writes.slice(before).filter(({ path }) => path.includes("virtualips"));
    assert.deepEqual(writes, []);
  });
});

describe("pools", () => {
  test("the younger of two that overlap is set aside with a condition; the older works on", async () => {
    await cluster.start();
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addPool("slip", ["192.0.2.20-192.0.2.30"]);
    await eventually(async () => {
      assert.equal((await cluster.pool("slip")).status?.conditions?.[0]?.reason, "PoolOverlaps");
      assert.equal((await cluster.pool("lan")).status?.conditions?.[0]?.reason, "InUse");
    });
    assert.deepEqual(await cluster.eventsOf("slip"), ["PoolOverlaps"]);
    await cluster.changePool("slip", { addresses: ["192.0.2.21-192.0.2.30"] });
    await eventually(async () => assert.equal((await cluster.pool("slip")).status?.conditions?.[0]?.reason, "InUse"));
  });

  test("one that does not follow its schema is set aside with a condition", async () => {
    await cluster.start();
    await cluster.addPool("odd", [], { addresses: 7 });
    await eventually(async () =>
      assert.equal((await cluster.pool("odd")).status?.conditions?.[0]?.reason, "PoolSchemaInvalid"),
    );
  });

  test("counts are exact, beyond any number", async () => {
    await cluster.start();
    await cluster.addPool("lan", ["192.0.2.0/24", "2001:db8::/64"], { avoidBuggyIPs: true });
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["192.0.2.1", "2001:db8::1"]);
    await eventually(async () => {
      const { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 } = (await cluster.pool("lan")).status ?? {};
      assert.deepEqual(
        [assignedIPv4, availableIPv4, assignedIPv6, availableIPv6],
        // Without .0 and .255, the node's own .250, the subnet-router anycast address and the node's own ::ff.
        ["1", "252", "1", "18446744073709551613"],
      );
    });
  });

  test("a pool that is deleted takes no address away", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: "/apis/bellhop.dev/v1beta1/ipaddresspools/lan" });
    await cluster.addService("next");
    await cluster.expectCondition("next", "False NoPool");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });
});

describe("owners", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  });

  async function firstOwners(): Promise<readonly (string | undefined)[]> {
    return (await cluster.virtualIps()).map(({ spec }) => spec.owners[0]);
  }

  test("addresses of a speaker that leaves go to the next, and come back evenly", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    for (const name of ["a", "b", "c", "d"]) await cluster.addService(name);
    for (const name of ["a", "b", "c", "d"]) await cluster.expectCondition(name, "True AddressAssigned");
    assert.equal((await firstOwners()).filter((node) => node === "n1").length, 2);
    await cluster.silenceNode("n2");
    await eventually(async () => assert.deepEqual(await firstOwners(), ["n1", "n1", "n1", "n1"]));
    await cluster.reviveNode("n2");
    await eventually(async () => assert.equal((await firstOwners()).filter((node) => node === "n2").length, 2));
  });

  test("owners that somebody else writes are heeded as long as they may announce", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await quiet();
    const [claim] = await cluster.virtualIps();
    const owners = [...(claim?.spec.owners ?? [])].reverse();
    const path = "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.10";
    const write = (wanted: readonly string[]): Promise<unknown> =>
      cluster.server.request({
        method: "PATCH",
        path,
        body: { spec: { owners: wanted } },
        contentType: "application/merge-patch+json",
      });
    await write(owners);
    await quiet();
    assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, owners);
    await write(["nobody"]);
    await eventually(async () =>
      assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners.toSorted(), ["n1", "n2"]),
    );
  });

  test("Services that go move nobody else's address, also when a node writes what matters to nobody", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    for (const name of ["a", "b", "c", "d"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    for (const { spec } of await cluster.virtualIps()) {
      if (spec.owners[0] === "n1") await cluster.deleteService(spec.services[0]?.name ?? "");
    }
    await eventually(async () => assert.deepEqual(await firstOwners(), ["n2", "n2"]));
    const path = "/apis/bellhop.dev/v1beta1/speakers/n2/status";
    const interfaces = [
      { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.250/24", "2001:db8::ff/64"] },
      { name: "veth7", mac: "02:00:00:00:00:02", up: true, addresses: [] },
    ];
    const body = { status: { interfaces } };
    await cluster.server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    await quiet();
    assert.deepEqual(await firstOwners(), ["n2", "n2"]);
  });

  test("an address that nobody may announce is shown with its reason", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.silenceNode("n1");
    await cluster.expectCondition("web", "False NoAnnouncer");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await eventually(async () =>
      assert.deepEqual(
        (await cluster.virtualIps())[0]?.status?.conditions?.map(({ type, status }) => `${type} ${status}`),
        ["Announceable False"],
      ),
    );
    await cluster.reviveNode("n1");
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("under Local the node with ready endpoints comes first", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    const slice = (nodeName: string) => ({
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], nodeName, conditions: { ready: true } }],
    });
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    await cluster.server.request({ method: "POST", path, body: slice("n1") });
    await eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n1", "n2"]));
    await cluster.server.request({ method: "PUT", path: `${path}/web-1`, body: slice("n2") });
    await eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n2", "n1"]));
  });
});
