import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { askApi } from "../lab/api.ts";
import { waitFor } from "../lab/wait.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { countRestarts, killComponent, waitForRestarts } from "./kill.ts";
import { expectMetric } from "./metrics.ts";
import { createPool, deletePools, expectPool, poolEvents, statusOf } from "./pool.ts";
import { createService, startWeb } from "./workload.ts";

/** A leader that was killed is missed only when its Lease has run out. */
const patienceMs = 40_000;
const ipv4Only = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };

describe("pools: what they give, keep, hold and refuse", () => {
  const cluster = useCluster("nftables", "pools");

  before(() => startWeb(cluster().api));
  after(() => deletePools(cluster().api));

  /** A Service that takes its address from one pool. */
  async function serviceFrom(pool: string, name: string, more: { spec?: object; annotations?: object } = {}) {
    const annotations = { "bellhop.dev/pool": pool, ...more.annotations };
    await createService(cluster().api, name, { ...ipv4Only, ...more.spec }, "web", { annotations });
  }

  async function expectRefusal(name: string, reason: string, says = /./): Promise<void> {
    await waitFor({ what: `Service ${name} to be refused with ${reason}`, timeoutMs: patienceMs }, async () => {
      const { status } = await cluster().api.get("v1", "Service", name);
      const found = statusOf(status, "bellhop.dev/AddressReady");
      return found?.status === "False" && found.reason === reason && says.test(found.message);
    });
  }

  const expectAnswer = (host: string): Promise<void> => waitForAnswer(cluster().api, host);

  async function expectNobody(address: string): Promise<void> {
    const { lab } = cluster();
    await waitFor({ what: `nobody to answer for ${address}`, timeoutMs: 15_000 }, async () => {
      await lab.exec("client", ["ip", "neighbour", "flush", address]);
      await lab.exec("client", ["ping", "-c", "1", "-W", "1", address]);
      const { stdout } = await lab.exec("client", ["ip", "neighbour", "show", address]);
      return /FAILED|INCOMPLETE/.test(stdout) || stdout.trim() === "";
    });
  }

  function virtualIp(address: string) {
    return cluster().api.find("bellhop.dev/v1beta1", "VirtualIP", address);
  }

  const refusals = [
    {
      spec: { addresses: ["172.30.0.130-172.30.0.129"] },
      says: "ends before it begins; write the lower address first",
    },
    { spec: { addresses: ["172.30.0.130"], exclude: ["nonsense"] }, says: "neither an address, a CIDR nor a range" },
    { spec: { addresses: ["172.30.0.130"], exclude: ["172.30.0.9/24"] }, says: "has host bits set" },
    { spec: { addresses: ["172.30.0.130"], holdAfterDelete: "ten minutes" }, says: "is not a duration; write" },
    { spec: { addresses: ["172.30.0.130"], state: "Asleep" }, says: 'supported values: "Active", "Draining"' },
  ];
  for (const { spec, says } of refusals) {
    test(`the API server itself refuses ${JSON.stringify(spec)}`, async () => {
      const body = { apiVersion: "bellhop.dev/v1beta1", kind: "IPAddressPool", metadata: { name: "e2e-bad" }, spec };
      const path = "/apis/bellhop.dev/v1beta1/ipaddresspools";
      const answer = await askApi(cluster().lab.apiSocket, "POST", path, body);
      assert.equal(answer.status, 422, answer.body);
      assert.ok((JSON.parse(answer.body) as { message: string }).message.includes(says), answer.body);
    });
  }

  test("exclude: taken out of what is given, granted and counted", async () => {
    const { api } = cluster();
    await createPool(api, "exclude", ["172.30.0.130-172.30.0.133"], { exclude: ["172.30.0.130-172.30.0.131"] });
    await serviceFrom("e2e-exclude", "excludes");
    assert.deepEqual(await api.waitForAddresses("excludes"), ["172.30.0.132"]);
    await serviceFrom("e2e-exclude", "asks-excluded", { spec: { loadBalancerIP: "172.30.0.130" } });
    await expectRefusal("asks-excluded", "RequestedAddressNotInPool", /Pool e2e-exclude excludes it/);
    await expectPool(api, "exclude", "Ready", "True", "InUse");
    await waitFor({ what: "counts of e2e-exclude", timeoutMs: 10_000 }, async () => {
      const { status } = await api.get("bellhop.dev/v1beta1", "IPAddressPool", "e2e-exclude");
      return status.assignedIPv4 === "1" && status.availableIPv4 === "1";
    });
  });

  test("a pool that drains keeps what it has assigned, still answered, and assigns nothing new", async () => {
    const { api } = cluster();
    await createPool(api, "drain", ["172.30.0.135-172.30.0.136"]);
    await serviceFrom("e2e-drain", "drained");
    const [address = ""] = await api.waitForAddresses("drained");
    await expectAnswer(address);
    await createPool(api, "drain", ["172.30.0.135-172.30.0.136"], { state: "Draining" });
    await expectPool(api, "drain", "Ready", "True", "Draining");
    await serviceFrom("e2e-drain", "too-late");
    await expectRefusal("too-late", "PoolDraining");
    await expectAnswer(address);
    assert.deepEqual(await api.waitForAddresses("drained"), [address]);
    await createPool(api, "drain", ["172.30.0.135-172.30.0.136"]);
    assert.deepEqual(await api.waitForAddresses("too-late"), ["172.30.0.136"]);
  });

  test("holdAfterDelete: silent, refused to others, over a restart of the controller, back under the same name", async () => {
    const { api, lab } = cluster();
    await createPool(api, "hold", ["172.30.0.140"], { holdAfterDelete: "30m" });
    await serviceFrom("e2e-hold", "comes-back");
    const [address = ""] = await api.waitForAddresses("comes-back");
    await expectAnswer(address);
    await api.delete("v1", "Service", "comes-back");
    await waitFor({ what: "the Service to go", timeoutMs: 10_000 }, async () => {
      return (await api.find("v1", "Service", "comes-back")) === undefined;
    });
    const held = await virtualIp(address);
    assert.ok(Date.parse(held?.spec.heldUntil) > Date.now());
    assert.deepEqual(held?.spec.owners, []);
    const stdout = await lab.kubectl(["get", "vip", address]);
    assert.ok(stdout.includes(held?.spec.heldUntil) && stdout.includes("comes-back"), stdout);
    await expectNobody(address);
    const restarts = await countRestarts(api, "controller");
    const killed = await killComponent(api, "controller");
    await waitForRestarts(api, "controller", restarts + killed);
    await serviceFrom("e2e-hold", "wants-it");
    await expectRefusal("wants-it", "PoolExhausted");
    await serviceFrom("e2e-hold", "asks-held", { spec: { loadBalancerIP: address } });
    await expectRefusal("asks-held", "RequestedAddressTaken", /is held until .* for a new Service pools\/comes-back/);
    await serviceFrom("e2e-hold", "comes-back");
    assert.deepEqual(await api.waitForAddresses("comes-back"), [address]);
    await expectAnswer(address);
    assert.equal((await virtualIp(address))?.metadata.uid, held?.metadata.uid);

    await createPool(api, "hold", ["172.30.0.140"], { holdAfterDelete: "2s" });
    await api.delete("v1", "Service", "asks-held");
    await api.delete("v1", "Service", "comes-back");
    assert.deepEqual(await api.waitForAddresses("wants-it", 30_000), [address]);
    await expectAnswer(address);
  });

  const setAside = [
    { name: "services", addresses: ["10.96.7.0/24"], reason: "PoolOverlapsServiceNetwork", says: /ServiceCIDR/ },
    { name: "services6", addresses: ["fd96::/120"], reason: "PoolOverlapsServiceNetwork", says: /ServiceCIDR/ },
    { name: "pods", addresses: ["10.244.1.0/28"], reason: "PoolOverlapsPodNetwork", says: /Node n1/ },
    {
      name: "itself",
      addresses: ["172.30.0.150/31", "172.30.0.151"],
      reason: "PoolRangesOverlap",
      says: /other entry is .* in spec\.addresses\[1\]/,
    },
    { name: "younger", addresses: ["172.30.0.249-172.30.0.251"], reason: "PoolOverlaps", says: /pool lan/ },
    {
      name: "reversed6",
      addresses: ["fd30::309-fd30::301"],
      reason: "PoolRangeInvalid",
      says: /last address is lower than the first/,
    },
    { name: "loopback", addresses: ["127.0.0.1"], reason: "PoolRangeSpecial", says: /loopback/ },
  ];
  for (const { name, addresses, reason, says } of setAside) {
    test(`rejected as a whole, with condition and event: ${addresses.join(", ")}`, async () => {
      const { api } = cluster();
      await createPool(api, name, ["172.30.0.152", ...addresses]);
      await expectPool(api, name, "Ready", "False", reason, says);
      await waitFor({ what: `an event about e2e-${name}`, timeoutMs: 10_000 }, async () =>
        (await poolEvents(api, name)).some((event) => event.reason === reason && says.test(event.note)),
      );
      await serviceFrom(`e2e-${name}`, `from-${name}`);
      await expectRefusal(`from-${name}`, "PoolUnusable", new RegExp(reason));
      await expectPool(api, undefined, "Ready", "True", "InUse");
      await api.delete("bellhop.dev/v1beta1", "IPAddressPool", `e2e-${name}`);
      await expectRefusal(`from-${name}`, "PoolNotFound");
      await api.delete("v1", "Service", `from-${name}`);
    });
  }

  test("a Service CIDR that is added causes a pool to be rejected until it is deleted; its addresses are still answered", async () => {
    const { api, lab } = cluster();
    await createPool(api, "cidr", ["172.30.0.160-172.30.0.161"]);
    await serviceFrom("e2e-cidr", "before-cidr");
    const [address = ""] = await api.waitForAddresses("before-cidr");
    const path = "/apis/networking.k8s.io/v1/servicecidrs";
    await lab.api("POST", path, {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: "e2e-more" },
      spec: { cidrs: ["172.30.0.160/28"] },
    });
    try {
      await expectPool(api, "cidr", "Ready", "False", "PoolOverlapsServiceNetwork", /e2e-more/);
      assert.deepEqual(await api.waitForAddresses("before-cidr"), [address]);
      await expectAnswer(address);
    } finally {
      await lab.api("DELETE", `${path}/e2e-more`);
    }
    await expectPool(api, "cidr", "Ready", "True", "InUse");
  });

  test("addresses of nodes and of spec.externalIPs in a pool are left out and told, the rest is given", async () => {
    const { api } = cluster();
    await createPool(api, "shared", ["172.30.0.9", "172.30.0.11-172.30.0.12", "172.30.0.170-172.30.0.171"]);
    await expectPool(
      api,
      "shared",
      "AddressesBlocked",
      "True",
      "UsedElsewhere",
      /172\.30\.0\.11 \(.*Node n1.*172\.30\.0\.12/,
    );
    await createService(api, "externally", { ...ipv4Only, type: "ClusterIP", externalIPs: ["172.30.0.9"] });
    await expectPool(api, "shared", "AddressesBlocked", "True", "UsedElsewhere", /172\.30\.0\.9 \(.*pools\/externally/);
    await serviceFrom("e2e-shared", "beside");
    assert.deepEqual(await api.waitForAddresses("beside"), ["172.30.0.170"]);
    await serviceFrom("e2e-shared", "asks-node", { spec: { loadBalancerIP: "172.30.0.11" } });
    await expectRefusal("asks-node", "RequestedAddressTaken", /Node n1/);
    await api.delete("v1", "Service", "externally");
  });

  test("a pool that shrinks: its Services are answered as before and flagged, and move when they request it, with one event", async () => {
    const { api } = cluster();
    await createPool(api, "edit", ["172.30.0.180-172.30.0.185"]);
    await serviceFrom("e2e-edit", "edited");
    const [address = ""] = await api.waitForAddresses("edited");
    await expectAnswer(address);
    const before = await virtualIp(address);
    await createPool(api, "edit", ["172.30.0.183-172.30.0.185"]);
    await expectPool(api, "edit", "AllInPool", "False", "AddressOutsidePool", /172\.30\.0\.180/);
    const flagged = await waitFor({ what: `VirtualIP ${address} to be flagged`, timeoutMs: 10_000 }, async () => {
      const found = statusOf((await virtualIp(address))?.status, "InPool");
      return found?.status === "False" ? found : undefined;
    });
    assert.equal(flagged.reason, "AddressOutsidePool");
    assert.match(flagged.message, /Pool e2e-edit no longer contains it/);
    await expectMetric(api, 'bellhop_addresses_outside_pool{pool="e2e-edit"}', 1);
    await api.delete("bellhop.dev/v1beta1", "VirtualIP", address);
    const again = await waitFor({ what: `${address} to be claimed again`, timeoutMs: 10_000 }, () =>
      virtualIp(address),
    );
    assert.notEqual(again.metadata.uid, before?.metadata.uid);
    assert.equal(again.spec.services[0]?.name, "edited");
    // Any change makes the controller think about the Service anew; it still names the pool that has lost its address.
    await serviceFrom("e2e-edit", "edited", { annotations: { "bellhop.dev/share": "any" } });
    await waitFor({ what: `VirtualIP ${address} to note the sharing key`, timeoutMs: 10_000 }, async () => {
      return (await virtualIp(address))?.spec.services[0].sharing?.key === "any";
    });
    assert.deepEqual(await api.waitForAddresses("edited"), [address]);
    await expectAnswer(address);

    await serviceFrom("e2e-edit", "edited", { annotations: { "bellhop.dev/reassign": "1" } });
    const moved = await waitFor({ what: "the Service to move", timeoutMs: 10_000 }, async () => {
      const [now = ""] = await api.waitForAddresses("edited");
      return now === address ? undefined : now;
    });
    assert.equal(moved, "172.30.0.183");
    await expectAnswer(moved);
    await waitFor(
      { what: "the old VirtualIP to go", timeoutMs: 10_000 },
      async () => (await virtualIp(address)) === undefined,
    );
    await expectPool(api, "edit", "AllInPool", "True", "AllInside");
    await expectMetric(api, 'bellhop_addresses_outside_pool{pool="e2e-edit"}', undefined);
    const events = (await api.events("Service", "edited")).filter(({ reason }) => reason === "UpdatedLoadBalancer");
    assert.equal(events.length, 1);
    assert.match(events[0]?.note ?? "", /\[172\.30\.0\.180\] -> \[172\.30\.0\.183\]/);
  });
});
