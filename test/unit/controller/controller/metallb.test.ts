import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { metallbPath, ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

async function addMetallb(plural: "ipaddresspools" | "l2advertisements", name: string, spec: unknown): Promise<void> {
  const path = metallbPath("metallb-system", plural);
  await cluster.server.request({ method: "POST", path, body: { metadata: { name }, spec } });
}

/** `REASON NAME MESSAGE` of the events about objects of MetalLB. */
async function metallbEvents(): Promise<readonly string[]> {
  const { body } = await cluster.server.request({ method: "GET", path: "/api/v1/namespaces/metallb-system/events" });
  const { items } = body as { items: { reason: string; message: string; involvedObject: { name: string } }[] };
  return items.map(({ reason, message, involvedObject }) => `${reason} ${involvedObject.name} ${message}`);
}

describe("MetalLB's objects, read in place", () => {
  test("its pools assign addresses, its annotations of both prefixes request them, and none of its objects is written", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await addMetallb("ipaddresspools", "special", { addresses: ["192.0.2.32/30"], autoAssign: false });
    await cluster.start({ metallb: true });
    await cluster.addService("plain");
    await cluster.addService("ips", {}, { annotations: { "metallb.io/loadBalancerIPs": "192.0.2.15" } });
    await cluster.addService("pool", {}, { annotations: { "metallb.universe.tf/address-pool": "special" } });
    await cluster.expectShown("plain", ["192.0.2.10"]);
    await cluster.expectShown("ips", ["192.0.2.15"]);
    await cluster.expectShown("pool", ["192.0.2.32"]);
    await cluster.addService("bad", {}, { annotations: { "metallb.io/loadBalancerIPs": "198.51.100.7" } });
    await cluster.eventually(async () =>
      assert.equal(await cluster.condition("bad"), "False RequestedAddressNotInPool"),
    );
    assert.match((await cluster.eventNotesOf("bad")).at(-1) ?? "", /annotation metallb\.io\/loadBalancerIPs/);
    await cluster.pass(1_200);
    const written = cluster.server.writes.filter(({ path, method }) => path.includes("pools") && method !== "POST");
    assert.deepEqual(written, []);
  });

  test("Services that shared an address there keep it", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    const annotations = { "metallb.universe.tf/allow-shared-ip": "front" };
    for (const [name, port] of [
      ["a", 80],
      ["b", 81],
    ] as const) {
      await cluster.addService(name, { ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] }, { annotations });
      await cluster.setServiceStatus(name, { loadBalancer: { ingress: [{ ip: "192.0.2.17", ipMode: "VIP" }] } });
    }
    await cluster.start({ metallb: true });
    for (const name of ["a", "b"]) {
      await cluster.eventually(async () => assert.equal(await cluster.condition(name), "True AddressAssigned"));
      assert.deepEqual(await cluster.shown(name), ["192.0.2.17"]);
    }
  });

  test("Services of its class are served if the class is configured, and no others", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await cluster.addService("theirs", { loadBalancerClass: "metallb.io/metallb" });
    await cluster.setServiceStatus("theirs", { loadBalancer: { ingress: [{ ip: "192.0.2.17", ipMode: "VIP" }] } });
    await cluster.addService("other", { loadBalancerClass: "example.com/cloud" });
    await cluster.start({ metallb: true, metallbClass: "metallb.io/metallb" });
    await cluster.eventually(async () => assert.equal(await cluster.condition("theirs"), "True AddressAssigned"));
    assert.deepEqual(await cluster.shown("theirs"), ["192.0.2.17"]);
    await cluster.addService("plain");
    await cluster.expectShown("plain", ["192.0.2.10"]);
    assert.deepEqual(await cluster.shown("other"), []);
  });

  test("Services of its class are left alone where the controller is not told the class", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await cluster.addService("theirs", { loadBalancerClass: "metallb.io/metallb" });
    await cluster.start({ metallb: true });
    await cluster.addService("plain");
    await cluster.expectShown("plain", ["192.0.2.10"]);
    assert.deepEqual(await cluster.shown("theirs"), []);
  });

  for (const { what, plural, name, spec } of [
    {
      what: "a pool with a field that Bellhop does not know assigns nothing",
      plural: "ipaddresspools",
      name: "lan",
      spec: { addresses: ["192.0.2.10-192.0.2.20"], novel: true },
    },
    {
      what: "an advertisement with a field that Bellhop does not know allows nothing",
      plural: "l2advertisements",
      name: "edge",
      spec: { ipAddressPools: ["lan"], novel: true },
    },
  ] as const) {
    test(`${what}, and an event on it names the field`, async () => {
      if (plural === "l2advertisements") await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10"] });
      await addMetallb(plural, name, spec);
      await cluster.start({ metallb: true });
      await cluster.addService("web");
      await cluster.expectCondition("web", `False ${plural === "ipaddresspools" ? "NoPool" : "NoAnnouncer"}`);
      await cluster.eventually(async () =>
        assert.match((await metallbEvents()).join(), new RegExp(`MetallbFieldUnknown ${name} .*sets spec\\.novel`)),
      );
      // One of Bellhop with the same name takes precedence.
      if (plural === "ipaddresspools") await cluster.addPool("lan", ["192.0.2.10"]);
      else {
        const body = { metadata: { name }, spec: { ipAddressPools: ["lan"] } };
        await cluster.server.request({ method: "POST", path: ownPath("l2advertisements"), body });
      }
      await cluster.expectCondition("web", "True AddressAssigned");
    });
  }

  test("Services that its L2Advertisement does not select are not announced, until their labels are right", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    const serviceSelectors = [{ matchLabels: { exposure: "l2" } }];
    await addMetallb("l2advertisements", "l2", { ipAddressPools: ["lan"], serviceSelectors });
    await cluster.start({ metallb: true });
    await cluster.addService("bgp", {}, { labels: { exposure: "bgp" } });
    await cluster.addService("l2", {}, { labels: { exposure: "l2" } });
    await cluster.expectCondition("l2", "True AddressAssigned");
    await cluster.expectCondition("bgp", "False NoAnnouncer");
    const owners = async () =>
      (await cluster.virtualIps()).map(({ spec }) => [spec.services[0]?.name, spec.owners.length]);
    assert.deepEqual((await owners()).sort(), [
      ["bgp", 0],
      ["l2", 1],
    ]);
    await cluster.changeService("bgp", { metadata: { labels: { exposure: "l2" } } });
    await cluster.expectCondition("bgp", "True AddressAssigned");
    await cluster.changeService("l2", { metadata: { labels: { exposure: "bgp" } } });
    await cluster.expectCondition("l2", "False NoAnnouncer");
  });

  test("an L2Advertisement of MetalLB restricts which nodes announce", async () => {
    await cluster.addNode("n2");
    const labels = { kind: "edge" };
    const patch = { metadata: { labels } };
    const merge = "application/merge-patch+json";
    await cluster.server.request({ method: "PATCH", path: "/api/v1/nodes/n2", body: patch, contentType: merge });
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await addMetallb("l2advertisements", "edge", { ipAddressPools: ["lan"], nodeSelectors: [{ matchLabels: labels }] });
    await cluster.start({ metallb: true });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n2"]);
  });

  test("a pool of ours replaces MetalLB's of the same name, and no address moves", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await cluster.start({ metallb: true });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.eventually(async () => assert.equal((await cluster.pool("lan")).status?.assignedIPv4, "1"));
    const path = `${metallbPath("metallb-system", "ipaddresspools")}/lan`;
    await cluster.server.request({ method: "DELETE", path });
    await cluster.addService("next");
    await cluster.expectShown("next", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  });

  test("without the option nothing of it counts", async () => {
    await addMetallb("ipaddresspools", "lan", { addresses: ["192.0.2.10-192.0.2.20"] });
    await cluster.start();
    await cluster.addService("web", {}, { annotations: { "metallb.io/loadBalancerIPs": "192.0.2.15" } });
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "False NoPool"));
    assert.deepEqual(
      cluster.server.requests.filter(({ path, method }) => path.includes("metallb") && method === "GET"),
      [],
    );
  });

  test("where MetalLB's kinds are not installed, everything else works and no failure is reported", async () => {
    cluster.server.intercept = ({ path }) => {
      if (path.includes("metallb.io"))
        throw new ApiError(404, "NotFound", "the server could not find the requested resource");
    };
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const { registry } = await cluster.start({ metallb: true });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.idle();
    assert.doesNotMatch(await registry.metrics(), /watch_failures_total\{resource="metallb/);
    assert.equal(cluster.server.requests.filter(({ path }) => path.includes("metallb.io")).length, 2);
  });
});
