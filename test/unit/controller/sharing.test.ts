import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BellhopError } from "../../../src/error/error.ts";
import { Cluster } from "./cluster.ts";
import { eventually, quiet } from "./eventually.ts";

let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]);
});

afterEach(() => cluster.stopAll());

const share = { annotations: { "bellhop.dev/share": "front" } };

function port(number: number, protocol = "TCP") {
  return [{ port: number, protocol, nodePort: 30000 + number }];
}

async function holders(): Promise<Record<string, readonly string[]>> {
  const claims = await cluster.virtualIps();
  return Object.fromEntries(
    claims.map(({ metadata, spec }) => [metadata.name, spec.services.map(({ name }) => name).sort()]),
  );
}

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
    assert.deepEqual(await holders(), { "192.0.2.10": ["api", "dns", "dns-udp", "web"] });
    await cluster.deleteService("web");
    await eventually(async () => assert.deepEqual(await holders(), { "192.0.2.10": ["api", "dns", "dns-udp"] }));
    for (const name of ["api", "dns", "dns-udp"]) await cluster.deleteService(name);
    await eventually(async () => assert.deepEqual(await holders(), {}));
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

  test("without request, one that does not fit gets an address of its own, which the next one joins", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(80) }, share);
    await cluster.expectShown("b", ["192.0.2.11"]);
    await cluster.addService("c", { ports: port(81) }, share);
    await cluster.expectShown("c", ["192.0.2.10"]);
  });

  const first = { ports: port(80), selector: { app: "web" } };
  const refusals = [
    { name: "no key", spec: { ports: port(81) }, metadata: {}, code: "RequestedAddressTaken", says: /default\/first/ },
    {
      name: "another key",
      spec: { ports: port(81) },
      metadata: { annotations: { "bellhop.dev/share": "back" } },
      code: "SharingKeyDiffers",
      says: /default\/first is "front"/,
    },
    {
      name: "the same port",
      spec: { ports: port(80) },
      metadata: share,
      code: "SharingPortTaken",
      says: /default\/first has 80\/TCP/,
    },
    {
      name: "another policy",
      spec: { ports: port(81), externalTrafficPolicy: "Local", selector: { app: "web" } },
      metadata: share,
      code: "SharingPolicyDiffers",
      says: /default\/first has Cluster/,
    },
  ];
  for (const { name, spec, metadata, code, says } of refusals) {
    test(`an address that is asked for is refused with ${name}, and given once it fits`, async () => {
      await cluster.start();
      await cluster.addService("first", first, share);
      await cluster.expectShown("first", ["192.0.2.10"]);
      await cluster.addService("second", { ...spec, loadBalancerIP: "192.0.2.10" }, metadata);
      await cluster.expectCondition("second", `False ${code}`);
      assert.match(await message("second"), says);
      assert.deepEqual(await cluster.shown("second"), []);
      await cluster.changeService("second", {
        metadata: share,
        spec: { ports: port(82), externalTrafficPolicy: "Cluster" },
      });
      await cluster.expectShown("second", ["192.0.2.10"]);
      await cluster.expectCondition("second", "True AddressAssigned");
      assert.deepEqual(await cluster.shown("first"), ["192.0.2.10"]);
    });
  }

  test("under Local only the same pods share", async () => {
    await cluster.start();
    const local = { externalTrafficPolicy: "Local", loadBalancerIP: "192.0.2.15" };
    await cluster.addService("a", { ...local, ports: port(80), selector: { app: "web", tier: "front" } }, share);
    await cluster.expectShown("a", ["192.0.2.15"]);
    await cluster.addService("b", { ...local, ports: port(81), selector: { tier: "front", app: "web" } }, share);
    await cluster.expectShown("b", ["192.0.2.15"]);
    await cluster.addService("c", { ...local, ports: port(82), selector: { app: "other" } }, share);
    await cluster.expectCondition("c", "False SharingPolicyDiffers");
    await cluster.addService("d", { ...local, ports: port(83), selector: {} }, share);
    await cluster.expectCondition("d", "False SharingPolicyDiffers");
  });

  test("whoever changes gives way, not who was there unchanged; the move is one event that says why", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", { spec: { ports: [...port(80), ...port(81)] } });
    await cluster.expectShown("a", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("b"), ["192.0.2.10"]);
    await eventually(async () => assert.deepEqual(await holders(), { "192.0.2.10": ["b"], "192.0.2.11": ["a"] }));
    const notes = await cluster.eventNotesOf("a");
    assert.equal(
      notes.at(-1),
      "Updated load balancer [192.0.2.10] -> [192.0.2.11]: Service default/b has 81/TCP on 192.0.2.10",
    );
  });

  test("a change that fits is written into the claim, so that the next one is held against it", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.changeService("a", { spec: { ports: port(81) } });
    await eventually(async () =>
      assert.deepEqual((await cluster.virtualIps())[0]?.spec.services[0]?.sharing?.ports, ["81/TCP"]),
    );
    await cluster.addService("b", { ports: port(80), loadBalancerIP: "192.0.2.10" }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
  });

  test("one that asks for the address and then clashes loses it and is told why", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81), loadBalancerIP: "192.0.2.10" }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("b", { spec: { ports: port(80) } });
    await cluster.expectCondition("b", "False SharingPortTaken");
    assert.deepEqual(await cluster.shown("b"), []);
    await eventually(async () => assert.deepEqual(await holders(), { "192.0.2.10": ["a"] }));
  });

  test("one that stops sharing leaves, and one that is alone may stop where it is", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.changeService("a", { metadata: { annotations: { "bellhop.dev/share": null } } });
    await eventually(async () => assert.equal((await cluster.virtualIps())[0]?.spec.services[0]?.sharing, undefined));
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("a"), ["192.0.2.10"]);
  });

  test("many that come at once fit together, no port twice, also with two that both believe to lead", async () => {
    await cluster.start();
    await cluster.start();
    const names = Array.from({ length: 24 }, (_, index) => `s${index}`);
    await Promise.all(
      names.map((name, index) => cluster.addService(name, { ports: port(80 + Math.floor(index / 2)) }, share)),
    );
    for (const name of names) await cluster.expectCondition(name, "True AddressAssigned");
    await quiet();
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

  test("Services that showed one address together before we came keep it", async () => {
    for (const [name, number] of [
      ["a", 80],
      ["b", 81],
      ["c", 82],
    ] as const) {
      await cluster.addService(name, { ports: port(number) }, share);
      await cluster.setServiceStatus(name, { loadBalancer: { ingress: [{ ip: "192.0.2.17", ipMode: "VIP" }] } });
    }
    await cluster.addService("new", { ports: port(81) }, share);
    await cluster.start();
    for (const name of ["a", "b", "c"]) await cluster.expectCondition(name, "True AddressAssigned");
    for (const name of ["a", "b", "c"]) assert.deepEqual(await cluster.shown(name), ["192.0.2.17"]);
    await eventually(async () => assert.deepEqual((await holders())["192.0.2.17"], ["a", "b", "c"]));
    assert.notDeepEqual(await cluster.shown("new"), ["192.0.2.17"]);
  });

  test("a Service made anew under its old name takes its place among those who share again", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: port(81) }, share);
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", { metadata: { finalizers: null } });
    await cluster.deleteService("a");
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectShown("a", ["192.0.2.10"]);
    await eventually(async () => {
      const uid = (await cluster.service("a"))?.metadata?.uid;
      const references = (await cluster.virtualIps())[0]?.spec.services ?? [];
      assert.equal(references.find(({ name }) => name === "a")?.uid, uid);
      assert.equal(references.length, 2);
    });
  });

  for (const step of ["POST", "PATCH", "DELETE"]) {
    test(`the answer to a ${step} of the claim is lost: everybody ends where they belong`, async () => {
      await cluster.start();
      let lost = 0;
      cluster.server.loseAnswer = ({ method, path }) => {
        if (method !== step || !path.includes("virtualips") || lost > 0) return;
        lost++;
        throw new BellhopError("ApiUnreachable", "the answer was lost");
      };
      await cluster.addService("a", { ports: port(80) }, share);
      await cluster.expectShown("a", ["192.0.2.10"]);
      await cluster.addService("b", { ports: port(81) }, share);
      await cluster.expectShown("b", ["192.0.2.10"]);
      await cluster.deleteService("a");
      await eventually(async () => assert.deepEqual(await holders(), { "192.0.2.10": ["b"] }));
      await cluster.deleteService("b");
      await eventually(async () => assert.deepEqual(await holders(), {}));
      assert.equal(lost, 1);
    });
  }

  test("one joins while the last holder goes: the address is not taken from under it", async () => {
    await cluster.start();
    await cluster.addService("a", { ports: port(80) }, share);
    await cluster.expectCondition("a", "True AddressAssigned");
    const before = (await cluster.virtualIps())[0]?.metadata.uid;
    cluster.server.intercept = async ({ method, path }) => {
      if (method !== "DELETE" || !path.includes("virtualips")) return;
      cluster.server.intercept = undefined;
      // Another leader lets b join just now.
      await cluster.addService("b", { ports: port(81) }, share);
      const uid = (await cluster.service("b"))?.metadata?.uid;
      const sharing = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
      const [claim] = await cluster.virtualIps();
      const services = [...(claim?.spec.services ?? []), { namespace: "default", name: "b", uid, sharing }];
      const body = { spec: { services } };
      await cluster.server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    };
    await cluster.deleteService("a");
    await cluster.expectShown("b", ["192.0.2.10"]);
    await eventually(async () => assert.deepEqual(await holders(), { "192.0.2.10": ["b"] }));
    assert.equal((await cluster.virtualIps())[0]?.metadata.uid, before, "the claim itself was never given up");
  });

  test("with shared addresses in place a restart writes nothing", async () => {
    const first = await cluster.start();
    for (const [index, name] of ["a", "b", "c"].entries()) {
      await cluster.addService(name, { ports: port(80 + index) }, share);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await eventually(async () => assert.equal((await cluster.pool("lan")).status?.assignedIPv4, "1"));
    await quiet();
    await first.stop();
    const before = cluster.server.writes.length;
    await cluster.start();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.deepEqual(cluster.server.writes.slice(before), []);
  });
});
