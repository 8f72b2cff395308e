import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

/** What the speaker of n1 finds on an interface beside the node's own address, as kube-vip would put it there. */
async function putOnInterface(name: string, ...addresses: readonly string[]): Promise<void> {
  const eth0 = { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.250/24"] };
  const interfaces = [eth0, { ...eth0, name, addresses }];
  const path = `${ownPath("speakers", "n1")}/status`;
  await cluster.patch(path, { status: { interfaces } });
}

interface ConflictFacts {
  /** Whether no node has announced the address yet. */
  readonly unannounced?: true;
  readonly reason?: string;
  readonly since?: string | undefined;
  readonly address?: string;
}

async function conflict(
  status: "True" | "False",
  {
    unannounced,
    reason = unannounced ? "AddressInUse" : "ForeignMac",
    since = "2026-01-01T00:00:00Z",
    address = "192.0.2.10",
  }: ConflictFacts = {},
): Promise<void> {
  const message = `02:00:00:00:00:99 on the LAN of eth0 also answers for ${address}. Find that device.`;
  const condition = {
    type: "Conflict",
    status,
    reason,
    message,
    lastTransitionTime: since,
  };
  const path = `${ownPath("virtualips", address)}/status`;
  const body = { status: { conditions: [condition], ...(unannounced ? {} : { node: "n1" }) } };
  await cluster.patch(path, body);
}

async function message(name: string): Promise<string> {
  const conditions = (await cluster.service(name))?.status?.conditions ?? [];
  return conditions.find(({ type }) => type === "bellhop.dev/AddressReady")?.message ?? "";
}

const expectMessage = (name: string, pattern: RegExp): Promise<void> =>
  cluster.eventually(async () => assert.match(await message(name), pattern));

describe("an address of a pool that something else uses", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  });

  test("stays with the Service that another client assigned it to, and is adopted when it is free", async () => {
    await putOnInterface("eth1", "192.0.2.12/32");
    const finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
    await cluster.addService("web", {}, { finalizers });
    await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ ip: "192.0.2.12" }] } });
    const before = await cluster.service("web");
    await cluster.start();
    await cluster.idle();
    assert.deepEqual(await cluster.service("web"), before);
    assert.deepEqual(await cluster.eventsOf("web"), ["ShownAddressTaken"]);
    await putOnInterface("eth1");
    await cluster.expectCondition("web", "True AddressAssigned");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.12"]);
  });

  test("is reported on the Service that has it, once, and the Service keeps it", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await putOnInterface("eth1", "192.0.2.10/32");
    await expectMessage("web", /^192\.0\.2\.10\. .*is on an interface of Node n1/);
    await cluster.idle();
    assert.equal((await cluster.eventsOf("web")).filter((reason) => reason === "AddressUsedElsewhere").length, 1);
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await putOnInterface("eth1");
    await expectMessage("web", /^192\.0\.2\.10$/);
  });

  test("by a device on the LAN is reported on the Service, too", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await conflict("True");
    await expectMessage("web", /also answers for 192\.0\.2\.10/);
    await cluster.idle();
    assert.equal((await cluster.eventsOf("web")).filter((reason) => reason === "AddressConflict").length, 1);
    await conflict("False");
    await expectMessage("web", /^192\.0\.2\.10$/);
  });

  describe("and that a device had before", () => {
    beforeEach(async () => {
      await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.11"] });
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.10"]);
      await conflict("True", { unannounced: true });
      await cluster.expectShown("web", ["192.0.2.11"]);
      await cluster.idle();
    });

    test("is left for another one, and assigned again no sooner than ten minutes later", async () => {
      assert.equal(await cluster.condition("web"), "True AddressAssigned");
      assert.match((await cluster.eventNotesOf("web")).join("\n"), /192\.0\.2\.11\]\. 02:00:00:00:00:99 on the LAN/);
      await cluster.addService("other");
      await cluster.expectCondition("other", "False PoolExhausted");
      await cluster.pass(9 * 60_000);
      assert.equal(await cluster.condition("other"), "False PoolExhausted");
      await cluster.pass(20 * 60_000);
      await cluster.expectShown("other", ["192.0.2.10"]);
    });

    test("stays out of pools when the controller restarts or another one leads", async () => {
      await cluster.stopAll();
      await cluster.pass(8 * 60_000);
      await cluster.start();
      await cluster.addService("other");
      await cluster.expectCondition("other", "False PoolExhausted");
      await cluster.pass(20 * 60_000);
      await cluster.expectShown("other", ["192.0.2.10"]);
    });

    test("is shown by its pool and its VirtualIP, with the device and the cure", async () => {
      await cluster.pass(2_000);
      const { status } = await cluster.pool("lan");
      const blocked = status?.conditions?.find(({ type }) => type === "AddressesBlocked")?.message ?? "";
      assert.match(
        blocked,
        /192\.0\.2\.10 \(left out until .*Z, because 02:00:00:00:00:99 on the LAN of eth0 also answers/,
      );
      assert.match(blocked, /kubectl delete virtualip 192\.0\.2\.10 ends this at once/);
      const found = await cluster.virtualIp("192.0.2.10");
      assert.deepEqual(found?.spec.services, []);
      assert.equal(found?.status?.conditions?.[0]?.type, "Conflict");
    });

    test("is refused to a Service that requests it, which gets it as soon as its VirtualIP is deleted", async () => {
      await cluster.addService("asks", { loadBalancerIP: "192.0.2.10" });
      await cluster.expectCondition("asks", "False RequestedAddressTaken");
      assert.match(await message("asks"), /left out until .* 02:00:00:00:00:99 on the LAN of eth0/);
      await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.10") });
      await cluster.expectShown("asks", ["192.0.2.10"]);
    });

    test("ends its quarantine when more than 256 addresses are quarantined, the oldest first", async () => {
      const heldUntil = "2100-01-01T00:00:00Z";
      for (let index = 0; index < 256; index++) {
        const address = `198.51.100.${index}`;
        const metadata = { name: address, labels: { "app.kubernetes.io/managed-by": "bellhop-controller" } };
        const body = { metadata, spec: { address, services: [], owners: [], heldUntil } };
        await cluster.server.request({ method: "POST", path: ownPath("virtualips"), body });
      }
      await cluster.eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.10"), undefined));
      await cluster.idle();
      // And web's.
      assert.equal((await cluster.virtualIpNames()).length, 256 + 1);
    });

    test("stays out of pools when its Service is deleted instead", async () => {
      await conflict("True", { unannounced: true, address: "192.0.2.11" });
      await cluster.deleteService("web");
      await cluster.eventually(async () =>
        assert.deepEqual((await cluster.virtualIp("192.0.2.11"))?.spec.services, []),
      );
      await cluster.addService("other");
      await cluster.expectCondition("other", "False PoolExhausted");
    });
  });

  test("is left for another one when the device answers a little after the first announcement, which the speaker withdraws", async () => {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    const path = `${ownPath("virtualips", "192.0.2.10")}/status`;
    await cluster.patch(path, { status: { node: "n1", probed: true } });
    await cluster.idle();
    await cluster.patch(path, { status: { node: null, probed: null } });
    await conflict("True", { unannounced: true });
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.idle();
    assert.deepEqual((await cluster.virtualIp("192.0.2.10"))?.spec.services, []);
  });

  test("is looked for on the LAN before the first announcement, but not where the Service had the address before", async () => {
    await cluster.addService("former");
    await cluster.setServiceStatus("former", { loadBalancer: { ingress: [{ ip: "192.0.2.12" }] } });
    await cluster.start();
    await cluster.expectCondition("former", "True AddressAssigned");
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.probe, true);
    assert.equal((await cluster.virtualIp("192.0.2.12"))?.spec.probe, undefined);
  });

  const keeping = [
    { name: "that the Service requests", spec: { loadBalancerIP: "192.0.2.10" } },
    { name: "where the pool has no other", spec: {}, addresses: ["192.0.2.10"] },
    { name: "long after the claim was created", spec: {}, since: "2026-01-01T03:00:00Z" },
  ];
  for (const { name, spec, addresses, since } of keeping) {
    test(`is kept, and reported, although a device had it before: ${name}`, async () => {
      if (addresses !== undefined) await cluster.changePool("lan", { addresses });
      await cluster.start();
      await cluster.addService("web", spec);
      await cluster.expectShown("web", ["192.0.2.10"]);
      await conflict("True", { unannounced: true, since });
      await expectMessage("web", /also answers for 192\.0\.2\.10/);
      await cluster.idle();
      assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    });
  }

  for (const reason of ["ForeignMac", "AddressInUse"]) {
    test(`is kept when a device claims it after the first announcement, also while no node announces it: ${reason}`, async () => {
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.10"]);
      await conflict("True", { reason });
      await expectMessage("web", /also answers for 192\.0\.2\.10/);
      // As when its speaker restarts, or has withdrawn the address.
      const path = `${ownPath("virtualips", "192.0.2.10")}/status`;
      const body = { status: { node: null, probed: true } };
      await cluster.patch(path, body);
      await cluster.idle();
      assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
      assert.match(await message("web"), /also answers for 192\.0\.2\.10/);
    });
  }

  for (const name of ["kube-ipvs0", "kube-dummy-if"]) {
    test(`is not meant where a service proxy has it on ${name}, as it has every address of a Service`, async () => {
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.10"]);
      await putOnInterface(name, "192.0.2.10/32", "192.0.2.12/32");
      await cluster.addService("other");
      await cluster.setServiceStatus("other", { loadBalancer: { ingress: [{ ip: "192.0.2.12" }] } });
      await cluster.idle();
      assert.equal(await message("web"), "192.0.2.10");
      assert.equal(await cluster.condition("other"), "True AddressAssigned");
      await cluster.addService("asks", { loadBalancerIP: "192.0.2.13" });
      await cluster.expectShown("asks", ["192.0.2.13"]);
    });
  }
});
