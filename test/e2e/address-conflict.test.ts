import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { macAddress, nodeAddresses, OBSERVER } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { productNamespace } from "../product/install.ts";
import { useCluster } from "./cluster.ts";
import { answeringMacs, waitForAnnouncer } from "./failover.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createPool, deletePools, expectPool, statusOf } from "./pool.ts";
import type { Observation } from "./probe/announcement-observer.ts";
import { startClaimant, startObserver } from "./probe/programs.ts";
import { expectCondition } from "./service-state.ts";
import { findVirtualIp } from "./virtual-ip.ts";
import { createService, startWeb } from "./workload.ts";

/** The host of the LAN that is the other device, and its hardware address. */
const device = "observer";
const deviceMac = macAddress(OBSERVER.ipv4);
const speakers = "daemonset/bellhop-speaker";

/** What docs/on-the-lan.md says about devices that have addresses of a pool. */
describe("another device on the LAN", () => {
  const cluster = useCluster("nftables", "conflict");
  const pool = { annotations: { "bellhop.dev/pool": "e2e-conflict" } };
  const [first, second] = [
    ["172.30.0.190", "fd30::390"],
    ["172.30.0.191", "fd30::391"],
  ] as const;
  const requested = "172.30.0.192";

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createPool(api, "conflict", ["172.30.0.190-172.30.0.192", "fd30::390-fd30::391"]);
  });

  after(async () => {
    await onDevice("delete", ...first);
    await endQuarantine();
    await deletePools(cluster().api);
  });

  async function onDevice(verb: "add" | "delete", ...addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      const [length, nodad] = address.includes(":") ? [128, ["nodad"]] : [32, []];
      const words = ["address", verb, `${address}/${length}`, "dev", "eth0", ...(verb === "add" ? nodad : [])];
      await cluster().lab.exec(device, ["ip", ...words]);
    }
  }

  async function endQuarantine(): Promise<void> {
    const { api } = cluster();
    for (const address of first) {
      const name = (await findVirtualIp(api, address))?.metadata.name;
      if (name !== undefined) await api.delete("bellhop.dev/v1beta1", "VirtualIP", name);
    }
  }

  /** The condition `Conflict` of a VirtualIP, once it is True. */
  async function expectConflict(address: string, reason: string): Promise<void> {
    const { api } = cluster();
    const message = await waitFor(
      { what: `condition Conflict ${reason} of ${address}`, timeoutMs: 30_000 },
      async () => {
        const found = statusOf((await findVirtualIp(api, address))?.status, "Conflict");
        return found?.status === "True" && found.reason === reason ? found.message : undefined;
      },
    );
    assert.match(message, new RegExp(`^${deviceMac} on the LAN of eth0 `));
  }

  /** The devices that answer requests for the address from the client. */
  async function answering(address: string): Promise<readonly string[]> {
    return [...(await answeringMacs(cluster().lab, address, 500, "client"))];
  }

  test("that has the next addresses of a pool: the Service gets others, an event names the device, and the pool lists them", async () => {
    const { api } = cluster();
    await onDevice("add", ...first);
    await createService(api, "avoids", {}, "web", pool);
    await waitFor({ what: `Service avoids to have ${second.join()}`, timeoutMs: 30_000 }, async () => {
      const { status } = await api.get("v1", "Service", "avoids");
      const shown = (status.loadBalancer.ingress ?? []).map(({ ip }: { ip: string }) => ip);
      return shown.join() === second.join();
    });
    for (const address of second) await waitForAnswer(api, address);
    const notes = (await api.events("Service", "avoids")).map(({ note }) => note);
    for (const address of first) {
      assert.ok(
        notes.some((note) => note.includes(`${deviceMac} on the LAN of eth0 has ${address} already`)),
        notes.join("\n"),
      );
      await expectConflict(address, "AddressInUse");
      const { services, heldUntil } = (await findVirtualIp(api, address))?.spec ?? {};
      assert.deepEqual([services, typeof heldUntil], [[], "string"]);
      const listed = new RegExp(`${address} \\([^)]*${deviceMac} on the LAN of eth0`);
      await expectPool(api, "conflict", "AddressesBlocked", "True", "UsedElsewhere", listed);
      const explained = await api.lab.exec("control", ["kubectl", ...bellhopInPod(["explain", "address", address])]);
      assert.match(explained.stdout, new RegExp(`${address} is left out until .*${deviceMac} on the LAN of eth0`));
      assert.deepEqual(await answering(address), [deviceMac], "no node has announced it");
    }
  });

  test("that has the address that a Service requests: it is not announced until the device no longer has it", async () => {
    const { api } = cluster();
    await onDevice("add", requested);
    await createService(
      api,
      "insists",
      { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], loadBalancerIP: requested },
      "web",
      pool,
    );
    const { message } = await expectCondition(api, "insists", "False", "AddressConflict");
    assert.match(message, new RegExp(`${deviceMac} on the LAN of eth0 has ${requested} already`));
    assert.deepEqual(await answering(requested), [deviceMac]);
    await onDevice("delete", requested);
    await expectCondition(api, "insists", "True", "AddressAssigned");
    await waitForAnswer(api, requested);
  });

  test("that has gone: a Service gets the addresses once a user ends their quarantine", async () => {
    const { api } = cluster();
    await onDevice("delete", ...first);
    await createService(api, "patient", {}, "web", pool);
    await expectCondition(api, "patient", "False", "PoolExhausted");
    await endQuarantine();
    assert.deepEqual(await api.waitForAddresses("patient"), first);
    for (const address of first) await waitForAnswer(api, address);
    await api.delete("v1", "Service", "patient");
  });

  test("that claims announced addresses: they are announced again and stay, and the device is named", async () => {
    const { api, lab } = cluster();
    const announcers = await Promise.all(second.map((address) => waitForAnnouncer(lab, address)));
    const observer = startObserver(lab, second, 100, "client");
    await observer.ready;
    const claimant = startClaimant(lab, device, second, 500);
    let seen: readonly Observation[];
    try {
      for (const address of second) await expectConflict(address, "ForeignMac");
      await waitFor({ what: "the event AddressConflict", timeoutMs: 10_000 }, async () => {
        const events = await api.events("Service", "avoids");
        return events.some(({ reason, note }) => reason === "AddressConflict" && note.includes(deviceMac));
      });
    } finally {
      claimant.stop();
      observer.stop();
      seen = await observer.report;
    }
    for (const [index, address] of second.entries()) {
      const announcer = announcers[index] ?? "";
      const frames = seen.filter((one) => one.address === address && !one.solicited);
      const claimed = frames.findIndex(({ mac }) => mac === deviceMac);
      const announced = frames.findLastIndex(({ mac }) => mac === macAddress(nodeAddresses(announcer).ipv4));
      assert.ok(claimed >= 0 && announced > claimed, `${address} was not announced again`);
      assert.equal(await waitForAnnouncer(lab, address), announcer);
      await waitForAnswer(api, address, 30_000);
    }
  });

  test("that claims announced addresses, with --on-conflict yield: they are withdrawn until it no longer has them", async () => {
    const { api, lab } = cluster();
    await setPolicy("yield");
    try {
      for (const address of second) await waitForAnnouncer(lab, address);
      await onDevice("add", ...second);
      const claimant = startClaimant(lab, device, second, 1_000);
      try {
        for (const address of second) {
          await expectConflict(address, "AddressInUse");
          // Each owner takes the address over, defends it once and withdraws it.
          await waitFor({ what: `the device alone to answer for ${address}`, timeoutMs: 30_000 }, async () =>
            (await answering(address)).join() === deviceMac ? true : undefined,
          );
        }
        for (const address of second) assert.deepEqual(await answering(address), [deviceMac]);
        assert.deepEqual(await api.waitForAddresses("avoids"), second);
      } finally {
        claimant.stop();
        await onDevice("delete", ...second);
      }
      for (const address of second) {
        await waitForAnnouncer(lab, address);
        await waitForAnswer(api, address, 30_000);
      }
    } finally {
      await setPolicy();
    }
  });

  /** Restarts the speakers with this policy; without one, with the default. */
  async function setPolicy(policy?: "yield"): Promise<void> {
    const { lab } = cluster();
    const variable = policy === undefined ? "BELLHOP_ON_CONFLICT-" : `BELLHOP_ON_CONFLICT=${policy}`;
    await lab.kubectl(["-n", productNamespace, "set", "env", speakers, variable]);
    await lab.kubectl(["-n", productNamespace, "rollout", "status", speakers, "--timeout=90s"], undefined, 100_000);
  }
});
