import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { holders, port, share } from "../fake-cluster/sharing-services.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]);
});

async function message(name: string): Promise<string> {
  const conditions = (await cluster.service(name))?.status?.conditions ?? [];
  return conditions.find(({ type }) => type === "bellhop.dev/AddressReady")?.message ?? "";
}

describe("sharing an address", () => {
  test("different ports, or the same number on another protocol, go together; releasing one keeps the others", async () => {
    await cluster.start();
    await cluster.addService("web", { ports: port(80) }, share);
    await cluster.addService("api", { ports: port(81) }, share);
    await cluster.addService("dns", { ports: port(53) }, share);
    await cluster.addService("dns-udp", { ports: port(53, "UDP") }, share);
    for (const name of ["web", "api", "dns", "dns-udp"]) await cluster.expectShown(name, ["192.0.2.10"]);
    assert.deepEqual(await holders(cluster), { "192.0.2.10": ["api", "dns", "dns-udp", "web"] });
    await cluster.deleteService("web");
    await cluster.eventually(async () =>
      assert.deepEqual(await holders(cluster), { "192.0.2.10": ["api", "dns", "dns-udp"] }),
    );
    for (const name of ["api", "dns", "dns-udp"]) await cluster.deleteService(name);
    await cluster.eventually(async () => assert.deepEqual(await holders(cluster), {}));
  });

  test("both families are shared", async () => {
    await cluster.start();
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    await cluster.addService("web", { ...dual, ports: port(80) }, share);
    await cluster.addService("api", { ...dual, ports: port(81) }, share);
    for (const name of ["web", "api"]) await cluster.expectShown(name, ["192.0.2.10", "2001:db8::10"]);
    await cluster.addService("single", { ports: port(82) }, share);
    await cluster.expectShown("single", ["192.0.2.10"]);
    await cluster.changeService("single", { spec: dual });
    await cluster.expectShown("single", ["192.0.2.10", "2001:db8::10"]);
  });

  test("an address that is requested is refused where it clashes, and assigned once it fits", async () => {
    await cluster.start();
    await cluster.addService("first", { ports: port(80) }, share);
    await cluster.expectShown("first", ["192.0.2.10"]);
    await cluster.addService("second", { ports: port(80), loadBalancerIP: "192.0.2.10" }, share);
    await cluster.expectCondition("second", "False SharingPortTaken");
    assert.match(await message("second"), /default\/first.*80\/TCP|80\/TCP.*default\/first/);
    assert.deepEqual(await cluster.shown("second"), []);
    await cluster.changeService("second", { spec: { ports: port(82) } });
    await cluster.expectShown("second", ["192.0.2.10"]);
    await cluster.expectCondition("second", "True AddressAssigned");
    assert.deepEqual(await cluster.shown("first"), ["192.0.2.10"]);
  });

  test("a Service that changes yields, not the unchanged ones; the move is one event that says why", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", { spec: { ports: [...port(80), ...port(81)] } });
    await cluster.expectShown("a", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("b"), ["192.0.2.10"]);
    await cluster.eventually(async () =>
      assert.deepEqual(await holders(cluster), { "192.0.2.10": ["b"], "192.0.2.11": ["a"] }),
    );
    const notes = await cluster.eventNotesOf("a");
    assert.equal(
      notes.at(-1),
      "Updated load balancer [192.0.2.10] -> [192.0.2.11]. Service default/b uses 81/TCP on 192.0.2.10.",
    );
  });

  test("a change that fits is written into the claim, so that the next one is held against it", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.changeService("a", { spec: { ports: port(81) } });
    await cluster.eventually(async () =>
      assert.deepEqual((await cluster.virtualIps())[0]?.spec.services[0]?.sharing?.ports, ["81/TCP"]),
    );
    await cluster.addService("b", { ports: port(80), loadBalancerIP: "192.0.2.10" }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
  });

  test("a Service that requests the address and then clashes loses it, with a reason", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81), loadBalancerIP: "192.0.2.10" }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("b", { spec: { ports: port(80) } });
    await cluster.expectCondition("b", "False SharingPortTaken");
    assert.deepEqual(await cluster.shown("b"), []);
    await cluster.eventually(async () => assert.deepEqual(await holders(cluster), { "192.0.2.10": ["a"] }));
  });

  test("a Service that stops sharing leaves, and one that is alone may stop where it is", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.changeService("a", { metadata: { annotations: { "bellhop.dev/share": null } } });
    await cluster.eventually(async () =>
      assert.equal((await cluster.virtualIps())[0]?.spec.services[0]?.sharing, undefined),
    );
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("a"), ["192.0.2.10"]);
  });

  test("many that come at once fit together, no port twice, also with two controllers that both believe they lead", async () => {
    await cluster.start();
    await cluster.start();
    const names = Array.from({ length: 24 }, (_, index) => `s${index}`);
    await Promise.all(
      names.map((name, index) => cluster.addService(name, { ports: port(80 + Math.floor(index / 2)) }, share)),
    );
    for (const name of names) await cluster.expectCondition(name, "True AddressAssigned");
    await cluster.idle();
    const ports = new Map<string, string[]>();
    for (const service of await cluster.services()) {
      const [entry] = service.status?.loadBalancer?.ingress ?? [];
      const taken = ports.get(entry?.ip ?? "") ?? [];
      taken.push(...(service.spec?.ports ?? []).map(({ port: number }) => String(number)));
      ports.set(entry?.ip ?? "", taken);
    }
    for (const [ip, taken] of ports) assert.equal(new Set(taken).size, taken.length, `${ip}: ${taken.join(" ")}`);
    const claims = await cluster.virtualIps();
    assert.equal(claims.flatMap(({ spec }) => spec.services).length, names.length);
    for (const { metadata, spec } of claims) {
      for (const { name } of spec.services) assert.deepEqual(await cluster.shown(name), [metadata.name]);
    }
  });
});
