import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
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

  test("one whose name does not match its address gets an event, and no Service gets its address", async () => {
    await cluster.start();
    await cluster.addVirtualIp("wrong", { address: "192.0.2.12" });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.13"]);
    await cluster.eventually(async () => assert.deepEqual(await cluster.eventsOf("wrong"), ["VirtualIpInvalid"]));
  });
});
