import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

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
    await cluster.eventually(async () => assert.deepEqual(await firstOwners(), ["n1", "n1", "n1", "n1"]));
    await cluster.reviveNode("n2");
    await cluster.eventually(async () => assert.equal((await firstOwners()).filter((node) => node === "n2").length, 2));
  });

  test("owners that another program writes are respected as long as they may announce", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
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
    await cluster.idle();
    assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, owners);
    await write(["nobody"]);
    await cluster.eventually(async () =>
      assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners.toSorted(), ["n1", "n2"]),
    );
  });

  test("an emptied list is restored as it was, and not planned again", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
    const path = "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.10";
    const owners = async () => (await cluster.virtualIps())[0]?.spec.owners ?? [];
    const write = (list: readonly string[]): Promise<unknown> => {
      const contentType = "application/merge-patch+json";
      return cluster.server.request({ method: "PATCH", path, body: { spec: { owners: list } }, contentType });
    };
    // Not the order that a new plan would choose.
    const reversed = (await owners()).toReversed();
    await write(reversed);
    await cluster.idle();
    await write([]);
    await cluster.eventually(async () => assert.equal((await owners()).length, 2));
    assert.deepEqual(await owners(), reversed);
  });

  test("deleted Services move no other address, and neither does an irrelevant write to a node", async () => {
    await cluster.addNode("n2");
    await cluster.start();
    for (const name of ["a", "b", "c", "d"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    for (const { spec } of await cluster.virtualIps()) {
      if (spec.owners[0] === "n1") await cluster.deleteService(spec.services[0]?.name ?? "");
    }
    await cluster.eventually(async () => assert.deepEqual(await firstOwners(), ["n2", "n2"]));
    const path = "/apis/bellhop.dev/v1beta1/speakers/n2/status";
    const interfaces = [
      { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.250/24", "2001:db8::ff/64"] },
      { name: "veth7", mac: "02:00:00:00:00:02", up: true, addresses: [] },
    ];
    const body = { status: { interfaces } };
    await cluster.server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    await cluster.idle();
    assert.deepEqual(await firstOwners(), ["n2", "n2"]);
  });

  test("an address that no node may announce is shown with its reason", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.silenceNode("n1");
    await cluster.expectCondition("web", "False NoAnnouncer");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.eventually(async () =>
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
    await cluster.eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n1", "n2"]));
    await cluster.server.request({ method: "PUT", path: `${path}/web-1`, body: slice("n2") });
    await cluster.eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n2", "n1"]));
  });

  test("under Local the address leaves a node as soon as its pod terminates, and stays if no other pod is ready", async () => {
    await cluster.addNode("n2");
    const draining = { ready: false, serving: true, terminating: true };
    const slice = (conditions: readonly Record<string, boolean>[]) => ({
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: conditions.map((one, index) => ({
        addresses: [`10.0.0.${index + 1}`],
        nodeName: `n${index + 1}`,
        conditions: one,
      })),
    });
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    const put = (...conditions: readonly Record<string, boolean>[]): Promise<unknown> =>
      cluster.server.request({ method: "PUT", path: `${path}/web-1`, body: slice(conditions) });
    await cluster.server.request({ method: "POST", path, body: slice([{ ready: true }]) });
    await cluster.start();
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    const expectFirst = (node: string): Promise<void> =>
      cluster.eventually(async () => assert.equal((await cluster.virtualIps())[0]?.spec.owners[0], node));
    await expectFirst("n1");
    await put(draining);
    await cluster.idle();
    await expectFirst("n1");
    await put(draining, { ready: true });
    await expectFirst("n2");
    await put({ ready: false, serving: false, terminating: true }, draining);
    await cluster.idle();
    await expectFirst("n2");
    await put(draining, { ready: false, serving: false, terminating: true });
    await expectFirst("n1");
  });
});
