import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { groupVersion } from "../../../../src/api/api.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("reservations made by hand", () => {
  const address = { address: "192.0.2.12" };

  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.12-192.0.2.20"]);
  });

  test("kept out of use: no Service gets it, requesting it is refused with its name; once it is deleted it is free", async () => {
    await cluster.addVirtualIp("192.0.2.12", address);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.13"]);
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.12" });
    await cluster.expectCondition("asks", "False RequestedAddressReserved");
    await cluster.server.request({ method: "DELETE", path: "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.12" });
    await cluster.expectShown("asks", ["192.0.2.12"]);
  });

  test("for a Service that does not exist yet, then comes, goes and comes again", async () => {
    await cluster.addVirtualIp("192.0.2.12", { ...address, services: [{ namespace: "default", name: "web" }] });
    await cluster.start();
    for (let round = 0; round < 2; round++) {
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.12"]);
      await cluster.deleteService("web");
      await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    }
    const [reservation] = await cluster.virtualIps();
    assert.deepEqual(reservation?.spec.services, [{ namespace: "default", name: "web" }]);
  });

  test("for two that share it: what each takes is noted while it exists, and no longer", async () => {
    const services = ["a", "b"].map((name) => ({ namespace: "default", name }));
    await cluster.addVirtualIp("192.0.2.12", { ...address, services });
    await cluster.start();
    const share = { annotations: { "bellhop.dev/share": "front" } };
    const ports = (port: number) => ({ ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] });
    await cluster.addService("a", ports(80), share);
    await cluster.expectShown("a", ["192.0.2.12"]);
    await cluster.addService("b", ports(80), share);
    await cluster.expectShown("b", ["192.0.2.13"]);
    await cluster.changeService("b", { spec: { ...ports(81), loadBalancerIP: "192.0.2.12" } });
    await cluster.expectShown("b", ["192.0.2.12"]);
    const read = async () => {
      const [reservation] = (await cluster.virtualIps()).filter(({ metadata }) => metadata.name === "192.0.2.12");
      return reservation ?? assert.fail("the reservation is gone");
    };
    const noted = async () =>
      (await read()).status?.services?.map(({ name, sharing }) => `${name} ${sharing.ports.join(" ")}`);
    await cluster.eventually(async () => assert.deepEqual(await noted(), ["a 80/TCP", "b 81/TCP"]));
    assert.deepEqual((await read()).spec.services, services, "the spec is what the user wrote");
    // A manifest in Git is applied again and again, and must not set off anything.
    await cluster.idle();
    const before = (await read()).metadata.resourceVersion;
    const path = "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.12";
    const contentType = "application/merge-patch+json";
    await cluster.server.request({ method: "PATCH", path, body: { spec: { ...address, services } }, contentType });
    await cluster.idle();
    assert.equal((await read()).metadata.resourceVersion, before);
    for (const name of ["a", "b"]) await cluster.deleteService(name);
    await cluster.eventually(async () => assert.deepEqual(await noted(), []));
    assert.deepEqual((await read()).spec.services, services);
  });

  describe("their owners", () => {
    const services = [{ namespace: "default", name: "web" }];
    const path = ownPath("virtualips", "192.0.2.12");
    const read = async () => (await cluster.virtualIp("192.0.2.12")) ?? assert.fail("the reservation is gone");
    const nodes = (...names: readonly string[]) => names.map((node) => ({ node, interfaces: [] }));
    const expectOwners = (expected: unknown) =>
      cluster.eventually(async () => {
        const { spec, status } = await read();
        assert.deepEqual({ spec: spec.owners, status: status?.owners }, expected);
      });
    /** The speaker of a node as an earlier version reports it, or this one. */
    const report = (node: string, features: object | null) =>
      cluster.server.request({
        method: "PATCH",
        path: `${ownPath("speakers", node)}/status`,
        body: { status: { bootNonce: "1", features } },
        contentType: "application/merge-patch+json",
      });
    const statusOwners = { bootNonce: "1", names: ["StatusOwners"] };

    beforeEach(async () => {
      await cluster.addNode("n2");
    });

    test("are in the status: the manifest may be replaced or applied again, and nothing is written", async () => {
      await cluster.addVirtualIp("192.0.2.12", { ...address, services });
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.12"]);
      await cluster.idle();
      const before = await read();
      assert.deepEqual(before.spec.owners, []);
      assert.equal(before.status?.owners?.length, 2);
      const named = { apiVersion: groupVersion, kind: "VirtualIP", metadata: { name: "192.0.2.12" } };
      const body = { ...named, spec: { ...address, services } };
      await cluster.server.request({ method: "PUT", path, body });
      const contentType = "application/merge-patch+json";
      await cluster.server.request({ method: "PATCH", path, body, contentType });
      await cluster.idle();
      assert.deepEqual(await read(), before);
    });

    test("move from the spec, where earlier versions wrote them, without a change of the announcer", async () => {
      const former = { owners: ["n2", "n1"], interfaces: ["eth0"], ownerInterfaces: [{ node: "n1", interfaces: [] }] };
      await cluster.addVirtualIp("192.0.2.12", { ...address, services, ...former });
      await cluster.start();
      await expectOwners({ spec: [], status: nodes("n2", "n1") });
      const { spec } = await read();
      assert.deepEqual([spec.interfaces, spec.ownerInterfaces], [[], undefined]);
      assert.deepEqual(await cluster.eventsOf("192.0.2.12"), []);
    });

    test("are in the spec, too, while a speaker of an earlier version is alive", async () => {
      await report("n1", statusOwners);
      await report("n2", null);
      await cluster.addVirtualIp("192.0.2.12", { ...address, services, owners: ["n2", "n1"] });
      await cluster.start();
      await expectOwners({ spec: ["n2", "n1"], status: nodes("n2", "n1") });
      // A manifest without owners takes them away from the earlier version.
      await cluster.server.request({ method: "PUT", path, body: { metadata: {}, spec: { ...address, services } } });
      await expectOwners({ spec: ["n2", "n1"], status: nodes("n2", "n1") });
      await report("n2", statusOwners);
      await expectOwners({ spec: [], status: nodes("n2", "n1") });
      // The earlier version comes back and leaves what the newer one has written.
      await cluster.server.request({
        method: "PATCH",
        path: `${ownPath("speakers", "n1")}/status`,
        body: { status: { bootNonce: "2" } },
        contentType: "application/merge-patch+json",
      });
      await expectOwners({ spec: ["n2", "n1"], status: nodes("n2", "n1") });
      await cluster.silenceNode("n1");
      await expectOwners({ spec: [], status: nodes("n2") });
    });

    test("that a controller of an earlier version has written into the spec meanwhile count", async () => {
      await cluster.addVirtualIp("192.0.2.12", { ...address, services });
      await cluster.start();
      await cluster.eventually(async () => assert.equal((await read()).status?.owners?.length, 2));
      const [first, second] = (await read()).status?.owners ?? [];
      const owners = [second?.node, first?.node];
      const contentType = "application/merge-patch+json";
      await cluster.server.request({ method: "PATCH", path, body: { spec: { owners } }, contentType });
      await expectOwners({ spec: [], status: [second, first] });
    });
  });

  test("one whose name does not match its address gets an event, and no Service gets its address", async () => {
    await cluster.start();
    await cluster.addVirtualIp("wrong", { address: "192.0.2.12" });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.13"]);
    await cluster.eventually(async () => assert.deepEqual(await cluster.eventsOf("wrong"), ["VirtualIpInvalid"]));
  });
});
