import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

const noStrings = { services: [{ namespace: "default", name: 7 }] };
const six = { ipFamilies: ["IPv6"] };

/** VirtualIPs that are no valid claims, and what each takes out of use. */
const invalid = {
  "named after another address": {
    name: "2001-db8--70",
    spec: { address: "2001:db8::7" },
    blocks: ["2001:db8::7", "2001:db8::70"],
  },
  "named after no address": { name: "wrong", spec: { address: "2001:db8::7" }, blocks: ["2001:db8::7"] },
  "with a field of another type": {
    name: "2001-db8--7",
    spec: { address: "2001:db8::7", ...noStrings },
    blocks: ["2001:db8::7"],
  },
  "without an address": { name: "2001-db8--7", spec: {}, blocks: ["2001:db8::7"] },
  "without a spec": { name: "2001-db8--7", spec: undefined, blocks: ["2001:db8::7"] },
};

async function add(name: string, spec: Record<string, unknown> | undefined): Promise<void> {
  const body = { metadata: { name }, ...(spec === undefined ? {} : { spec }) };
  await cluster.server.request({ method: "POST", path: ownPath("virtualips"), body });
}

describe("a VirtualIP that is not a valid claim", () => {
  for (const [what, { name, spec, blocks }] of Object.entries(invalid)) {
    for (const before of [true, false]) {
      test(`takes its address out of use, ${what}, ${before ? "before the start" : "later"}`, async () => {
        await cluster.addPool("lan", ["2001:db8::7", "2001:db8::70", "2001:db8::71-2001:db8::72"]);
        if (before) await add(name, spec);
        await cluster.start();
        if (!before) await add(name, spec);
        await cluster.idle();
        assert.deepEqual((await cluster.eventsOf(name)).slice(0, 1), ["VirtualIpInvalid"]);
        const free = ["2001:db8::7", "2001:db8::70", "2001:db8::71"].filter((text) => !blocks.includes(text));
        await cluster.addService("web", six);
        await cluster.expectShown("web", free.slice(0, 1));
        await cluster.addService("asks", { ...six, loadBalancerIP: blocks[0] });
        await cluster.expectCondition("asks", "False RequestedAddressTaken");
        assert.match((await cluster.eventNotesOf("asks")).at(-1) ?? "", new RegExp(`claimed by VirtualIP ${name}`));
        const created = cluster.server.writes.filter(
          ({ method, path }) => method === "POST" && path === ownPath("virtualips"),
        );
        assert.equal(created.length, 2, "the test's and one for web");
        await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", name) });
        await cluster.expectShown("asks", blocks.slice(0, 1));
      });
    }
  }

  test("is met with one refused creation if the watch has not shown it", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.11"]);
    await cluster.start();
    cluster.server.intercept = async ({ method, path }) => {
      if (method !== "POST" || path !== ownPath("virtualips")) return;
      cluster.server.intercept = undefined;
      await add("192.0.2.10", { address: "192.0.2.10", ...noStrings });
    };
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
  });

  test("keeps no Service from its own address that another client writes the blocked one into", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    for (const address of ["192.0.2.12", "2001:db8::7"]) {
      await add("wrong", { address });
      await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: address, ipMode: "VIP" }] } });
      await cluster.expectShown("web", ["192.0.2.10"]);
      await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", "wrong") });
    }
  });

  test("is reported at once by a Service that waits and shows its address", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "False NoPool");
    await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: "192.0.2.7", ipMode: "VIP" }] } });
    await cluster.idle();
    await add("wrong", { address: "192.0.2.7" });
    await cluster.expectCondition("web", "False AddressClaimInvalid");
    await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", "wrong") });
    await cluster.expectCondition("web", "False NoPool");
  });

  test("is replaced at once when it is deleted, also outside all pools", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changePool("lan", { exclude: ["192.0.2.10"] });
    await cluster.idle();
    const path = ownPath("virtualips", "192.0.2.10");
    const contentType = "application/merge-patch+json";
    await cluster.server.request({ method: "PATCH", path, body: { spec: noStrings }, contentType });
    await cluster.expectCondition("web", "False AddressClaimInvalid");
    await cluster.server.request({ method: "DELETE", path });
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.services[0]?.name, "web");
  });

  test("takes nothing from the Service that shows its address", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]);
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await first.stop();
    const path = ownPath("virtualips", "192.0.2.10");
    await cluster.server.request({
      method: "PATCH",
      path,
      body: { spec: noStrings },
      contentType: "application/merge-patch+json",
    });
    await cluster.start();
    await cluster.expectCondition("web", "False AddressClaimInvalid");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.11"]);
    await cluster.server.request({ method: "DELETE", path });
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.services[0]?.name, "web");
  });
});
