import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

async function advertise(name: string, spec: Record<string, unknown>): Promise<void> {
  await cluster.server.request({
    method: "POST",
    path: ownPath("l2advertisements"),
    body: { metadata: { name }, spec },
  });
}

async function label(node: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const path = `/api/v1/nodes/${node}`;
  await cluster.patch(path, { metadata: { labels } });
}

/** Each owner of the only address with its interfaces, as spec has them. */
async function owners(): Promise<unknown> {
  const [object] = await cluster.virtualIps();
  const { owners: names = [], interfaces, ownerInterfaces } = object?.spec ?? {};
  return { names: [...names].sort(), first: names[0], interfaces, ownerInterfaces };
}

describe("L2Advertisements", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    for (const node of ["n1", "n2"]) {
      if (node !== "n1") await cluster.addNode(node);
      await label(node, { machine: node });
    }
  });

  test("each owner has its own interfaces, and speakers that do not know them find those of the first owner", async () => {
    await advertise("one", { nodeSelectors: [{ matchLabels: { machine: "n1" } }], interfaces: ["eth0"] });
    await advertise("two", { nodeSelectors: [{ matchLabels: { machine: "n2" } }], interfaces: ["eth?"] });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    const patterns: Readonly<Record<string, readonly string[]>> = { n1: ["eth0"], n2: ["eth?"] };
    const [object] = await cluster.virtualIps();
    const [first = "", second = ""] = object?.spec.owners ?? [];
    assert.deepEqual(await owners(), {
      names: ["n1", "n2"],
      first,
      interfaces: patterns[first],
      ownerInterfaces: [{ node: second, interfaces: patterns[second] }],
    });
    await cluster.silenceNode(first);
    await cluster.eventually(async () =>
      assert.deepEqual(await owners(), {
        names: [second],
        first: second,
        interfaces: patterns[second],
        ownerInterfaces: undefined,
      }),
    );
  });

  test("a change of an advertisement changes the interfaces of the owners that it selects", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    const [object] = await cluster.virtualIps();
    const [first = "", second = ""] = object?.spec.owners ?? [];
    const all = { names: ["n1", "n2"], first };
    assert.deepEqual(await owners(), { ...all, interfaces: [], ownerInterfaces: undefined });
    await advertise("all", {});
    await advertise("second", { nodeSelectors: [{ matchLabels: { machine: second } }], interfaces: ["eth0"] });
    await cluster.idle();
    assert.deepEqual(
      await owners(),
      { ...all, interfaces: [], ownerInterfaces: undefined },
      "one that lists no interface allows all of a node",
    );
    await cluster.server.request({ method: "DELETE", path: ownPath("l2advertisements", "all") });
    await cluster.eventually(async () =>
      assert.deepEqual(await owners(), {
        names: [second],
        first: second,
        interfaces: ["eth0"],
        ownerInterfaces: undefined,
      }),
    );
  });

  test("preferred nodes announce, others take over from them, and they announce again when they are back", async () => {
    await cluster.addNode("n3");
    await label("n3", { machine: "n3" });
    const preference = { matchLabels: { machine: "n2" } };
    await advertise("prefer", { preferredNodeSelectors: [{ weight: 1, preference }] });
    await cluster.start();
    for (const name of ["a", "b", "c"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    const first = async () => (await cluster.virtualIps()).map(({ spec }) => spec.owners[0]);
    assert.deepEqual(await first(), ["n2", "n2", "n2"]);
    await cluster.silenceNode("n2");
    await cluster.eventually(async () =>
      assert.ok((await first()).every((node) => node !== "n2" && node !== undefined)),
    );
    await cluster.reviveNode("n2");
    await cluster.eventually(async () => assert.deepEqual(await first(), ["n2", "n2", "n2"]));
  });

  test("with externalTrafficPolicy Local, a preferred node without endpoints does not announce", async () => {
    const preference = { matchLabels: { machine: "n2" } };
    await advertise("prefer", { preferredNodeSelectors: [{ weight: 1, preference }] });
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    const slice = {
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], nodeName: "n1", conditions: { ready: true } }],
    };
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    await cluster.server.request({ method: "POST", path, body: slice });
    await cluster.start();
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.equal((await cluster.virtualIps())[0]?.spec.owners[0], "n1");
  });

  test("one that does not follow its schema allows nothing, and an event says so", async () => {
    await advertise("bad", { interfaces: "eth0" });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "False NoAnnouncer");
    await cluster.eventually(async () => assert.deepEqual(await cluster.eventsOf("bad"), ["AdvertisementInvalid"]));
    await cluster.server.request({ method: "DELETE", path: ownPath("l2advertisements", "bad") });
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("an interface without addresses that one names is left when it goes down", async () => {
    await cluster.changePool("lan", { addresses: ["198.51.100.200"] });
    const report = async (node: string, up: boolean): Promise<void> => {
      const interfaces = [
        { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.250/24"] },
        { name: "eth0.20", mac: "02:00:00:00:00:01", up, addresses: [] },
      ];
      const path = `${ownPath("speakers", node)}/status`;
      await cluster.patch(path, { status: { interfaces } });
    };
    for (const node of ["n1", "n2"]) await report(node, true);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "False NoAnnouncer");
    await advertise("vlan", { interfaces: ["eth0.20"] });
    await cluster.expectCondition("web", "True AddressAssigned");
    const [first = "", second] = (await cluster.virtualIps())[0]?.spec.owners ?? [];
    await report(first, false);
    await cluster.eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, [second]));
  });
});
