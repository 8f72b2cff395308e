import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { addressBytes, addressFromBytes, formatAddress, parseAddress } from "../../src/ip/address.ts";
import { solicitedNode } from "../../src/packet/ndp.ts";
import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnnouncer, waitForEveryAnswer } from "./failover.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { expectMetric } from "./metrics.ts";
import { expectCondition } from "./service-state.ts";
import { findVirtualIp } from "./virtual-ip.ts";
import { createService, startWeb } from "./workload.ts";

/** How packets travel there: single-stack/ipv6-nftables.test.ts. The switch of that lab snoops MLD. */
describe("a cluster that has IPv6 only", () => {
  const cluster = useCluster("nftables", "ipv6-only", { families: "ipv6" });

  before(() => startWeb(cluster().api));

  test("no host of it has an IPv4 address", async () => {
    const { lab } = cluster();
    for (const host of ["n1", "control", "client"]) {
      const { stdout } = await lab.exec(host, ["ip", "-4", "-brief", "address", "show", "dev", "eth0"]);
      assert.equal(stdout.trim(), "", host);
    }
  });

  test("controller and speakers stay ready: no probe fails, no container is restarted", async () => {
    const { api } = cluster();
    interface Pods {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status: {
          readonly podIP: string;
          readonly containerStatuses: readonly { readonly ready: boolean; readonly restartCount: number }[];
        };
      }[];
    }
    const { items } = await api.lab.api<Pods>("GET", `/api/v1/namespaces/${productNamespace}/pods`);
    assert.equal(items.length, 2 + api.lab.nodes.length);
    for (const { metadata, status } of items) {
      assert.match(status.podIP, /^fd/, metadata.name);
      const [{ ready, restartCount } = assert.fail()] = status.containerStatuses;
      assert.deepEqual([ready, restartCount], [true, 0], metadata.name);
    }
    const events = await api.inNamespace(productNamespace).list("v1", "Event");
    const unhealthy = events.filter((event) => (event as { reason?: string }).reason === "Unhealthy");
    const connectionRefused = unhealthy.filter((event) => JSON.stringify(event).includes("Liveness"));
    assert.deepEqual(connectionRefused, []);
    await expectMetric(api, "bellhop_pools_rejected", 0);
  });

  test("a Service gets an IPv6 address, and answers hosts on the LAN and behind the router", async () => {
    const { api } = cluster();
    await createService(api, "six");
    const addresses = await api.waitForAddresses("six");
    assert.deepEqual([addresses.length, addresses[0]?.startsWith("fd30::2")], [1, true]);
    const [host = ""] = addresses;
    await waitForAnswer(api, host);
    for (const from of ["client", "remote"]) {
      await assertAnswers(api, from, { protocol: "tcp", host, port: 80, question: "/hostname" });
    }
  });

  test("the switch passes solicitations only to nodes that may announce the address, and it answers", async () => {
    const { api, lab } = cluster();
    const [host = ""] = await api.waitForAddresses("six");
    const members = new Set(await lab.groupMembers(solicitedNodeGroup(host)));
    assert.deepEqual([...members].sort(), [...(await ownersOf(host))].sort());
    for (const _ of [1, 2, 3]) {
      await lab.exec("client", ["ip", "-6", "neigh", "flush", "dev", "eth0"]);
      await assertAnswers(api, "client", { protocol: "tcp", host, port: 80, question: "/hostname" });
    }
  });

  test("once the announcer is cut off, the next owner answers behind that switch, which knew it as a member before", async () => {
    const { api, lab } = cluster();
    const [host = ""] = await api.waitForAddresses("six");
    const announcer = await waitForAnnouncer(lab, host);
    const [successor = ""] = (await ownersOf(host)).filter((node) => node !== announcer);
    assert.ok((await lab.groupMembers(solicitedNodeGroup(host))).includes(successor));
    await lab.cutNode(announcer);
    try {
      assert.equal(await waitForAnnouncer(lab, host, { not: announcer }), successor);
      await waitForEveryAnswer(lab, host);
    } finally {
      await lab.restoreNode(announcer);
    }
    await waitForAnnouncer(lab, host);
    await waitForEveryAnswer(lab, host);
  });

  async function ownersOf(host: string): Promise<readonly string[]> {
    return (await findVirtualIp(cluster().api, host))?.spec.owners ?? [];
  }

  test("an IPv4 address cannot be requested, and the condition says why", async () => {
    const { api } = cluster();
    await createService(api, "four", { loadBalancerIP: "172.30.0.240" });
    await expectCondition(api, "four", "False", "RequestedAddressWrongFamily");
  });

  test("a deleted Service leaves nothing", async () => {
    const { api } = cluster();
    await api.delete("v1", "Service", "four");
    await api.delete("v1", "Service", "six");
    await waitFor({ what: "the VirtualIPs to go", timeoutMs: 10_000 }, async () => {
      const all = await api.list("bellhop.dev/v1beta1", "VirtualIP");
      return all.length === 0 && (await api.find("v1", "Service", "six")) === undefined;
    });
  });
});

/** The multicast group to which solicitations of an address go (RFC 4291 section 2.7.1). */
function solicitedNodeGroup(text: string): string {
  const address = parseAddress(text);
  assert.ok(address);
  return formatAddress(addressFromBytes(solicitedNode(addressBytes(address))));
}
