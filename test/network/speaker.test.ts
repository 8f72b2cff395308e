import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1LeaseList } from "@kubernetes/client-node";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { leasePath, ownPath } from "../../src/kube/path.ts";
import { ApiServer } from "./api-server.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { Program } from "./program.ts";

const addresses = ["192.0.2.200", "2001:db8::200"] as const;

const skip = skipReason();
describe("the speaker as a program", { skip: skip ?? false }, () => {
  let lan: Lan;
  let api: ApiServer;
  let speaker: Program;
  const ends: (() => void)[] = [];
  before(async () => {
    lan = await Lan.create();
    ends.push(() => lan.destroy());
    api = await ApiServer.start(lan.nodes[0]);
    ends.unshift(() => api.destroy());
    await start();
  });
  after(() => {
    for (const end of ends) end();
  });

  async function start(): Promise<void> {
    speaker = api.startBellhop("speaker");
    for (let attempt = 0; !(await fetchPath("/readyz")).startsWith("ok"); attempt++) {
      assert.ok(attempt < patiently(200), "not ready");
      await sleep(50);
    }
  }

  /** What the speaker serves; empty while it does not. */
  async function fetchPath(path: string): Promise<string> {
    const url = `http://127.0.0.1:7481${path}`;
    return lan.nodes[0].sh(
      `${process.execPath} -e "fetch('${url}').then((r) => r.text()).then(console.log, () => {})"`,
    );
  }

  test("clients reach the pod by both addresses", async () => {
    assert.deepEqual(await lan.ask("tcp", addresses[0], 80, 3), Array(3).fill("pod1 192.0.2.99"));
    assert.deepEqual(await lan.ask("tcp", addresses[1], 80, 3), Array(3).fill("pod1 2001:db8::99"));
  });

  test("it reports what it does, and that it is alive", async () => {
    // It is ready before it has reported.
    const reported = async () => {
      const { status } = await api.get<Pick<VirtualIP, "status">>(ownPath("virtualips", "2001-db8--200"));
      // The collection: the lease itself may not be there yet.
      const { items } = await api.get<V1LeaseList>(leasePath("bellhop-system"));
      const lease = items.find(({ metadata }) => metadata?.name === "speaker-n1");
      return [status?.node, status?.interfaces, lease?.spec?.holderIdentity];
    };
    for (let attempt = 0; (await reported()).includes(undefined); attempt++) {
      assert.ok(attempt < patiently(100), "it does not report");
      await sleep(20);
    }
    assert.deepEqual(await reported(), ["n1", ["eth0"], "n1"]);
    // The client may have learned the address from an announcement, without a request.
    await lan.client.sh("ip neigh flush dev eth0");
    await lan.ask("tcp", addresses[0], 80);
    const metrics = await fetchPath("/metrics");
    assert.match(metrics, /^bellhop_speaker_announced_addresses 2$/m);
    assert.match(metrics, /^bellhop_responder_replies_total\{protocol="arp"\} [1-9]/m);
    assert.match(metrics, /^bellhop_nft_transactions_total\{family="IPv6",kind="whole"\} 1$/m);
  });

  test("a new address is probed before it is announced", async () => {
    const probes = async () => /^bellhop_responder_probes_total (\d+)$/m.exec(await fetchPath("/metrics"))?.[1];
    const before = Number(await probes());
    const spec = {
      address: "192.0.2.210",
      services: [{ namespace: "default", name: "web" }],
      owners: ["n1"],
      probe: true,
    };
    const created = { apiVersion: "bellhop.dev/v1beta1", kind: "VirtualIP", metadata: { name: "192.0.2.210" }, spec };
    await api.post(ownPath("virtualips"), created);
    const status = async () =>
      (await api.get<{ status?: { node?: string; probed?: boolean } }>(ownPath("virtualips", "192.0.2.210"))).status;
    for (let attempt = 0; (await status())?.node === undefined; attempt++) {
      assert.ok(attempt < patiently(100), "it is not announced");
      await sleep(20);
    }
    assert.equal((await status())?.probed, true);
    assert.ok(Number(await probes()) >= before + 3, `${before} ${await probes()}`);
    await api.patch(ownPath("virtualips", "192.0.2.210"), { spec: { services: [] } });
    for (let attempt = 0; !/^bellhop_speaker_announced_addresses 2$/m.test(await fetchPath("/metrics")); attempt++)
      assert.ok(attempt < patiently(100), "it is still announced");
  });

  test("the kernel has reported the group of the IPv6 address, so that switches that snoop let requests through", async () => {
    assert.match(await lan.nodes[0].sh("ip -6 maddr show dev eth0"), /ff02::1:ff00:200/);
  });

  test("rules that another program flushes, as a reload of a host firewall does, come back by themselves", async () => {
    const [n1] = lan.nodes;
    await n1.sh("nft flush ruleset");
    for (let attempt = 0; !/ip6 bellhop/.test(await n1.sh("nft list tables")); attempt++) {
      assert.ok(attempt < patiently(100), "the rules are not written again");
      await sleep(20);
    }
    assert.deepEqual(await lan.ask("tcp", addresses[0], 80), ["pod1 192.0.2.99"]);
    assert.deepEqual(await lan.ask("tcp", addresses[1], 80), ["pod1 2001:db8::99"]);
    assert.match(await fetchPath("/metrics"), /^bellhop_nft_foreign_changes_total\{family="IPv4"\} 1$/m);
  });

  test("an address of its interface that is gone is noticed, and so is its return", async () => {
    const [n1] = lan.nodes;
    const announced = async () => /^bellhop_speaker_announced_addresses (\d)$/m.exec(await fetchPath("/metrics"))?.[1];
    await n1.sh("ip addr del 192.0.2.11/24 dev eth0");
    for (let attempt = 0; (await announced()) !== "1"; attempt++)
      assert.ok(attempt < patiently(100), "it is not noticed");
    await n1.sh("ip addr add 192.0.2.11/24 dev eth0; ip route replace 10.244.2.0/24 via 192.0.2.12");
    for (let attempt = 0; (await announced()) !== "2"; attempt++)
      assert.ok(attempt < patiently(100), "it is not noticed");
    assert.deepEqual(await lan.ask("tcp", addresses[0], 80), ["pod1 192.0.2.99"]);
  });

  test("when it is asked to end it does so at once, and the kernel continues to forward without it", async () => {
    assert.equal(await speaker.end("SIGTERM"), 0);
    for (const address of addresses) {
      assert.equal((await lan.ask("tcp", address, 80))[0]?.split(" ")[0], "pod1");
    }
  });

  test("when it is killed, the next one takes up where it was", async () => {
    await start();
    await speaker.end("SIGKILL");
    assert.deepEqual(await lan.ask("tcp", addresses[0], 80), ["pod1 192.0.2.99"]);
    await start();
    await lan.client.sh("ip neigh flush dev eth0");
    for (const [address, client] of [
      [addresses[0], "192.0.2.99"],
      [addresses[1], "2001:db8::99"],
    ] as const) {
      assert.deepEqual(await lan.ask("tcp", address, 80), [`pod1 ${client}`]);
      assert.deepEqual(await lan.ask("udp", address, 53), [`pod1 ${client}`], "a flow that no node knows");
    }
  });

  test("its clean-up leaves none of our tables", async () => {
    assert.equal(await speaker.end("SIGTERM"), 0);
    const cleanup = new Program(lan.nodes[0], "../../src/cli/main.ts", ["speaker", "--cleanup"]);
    await cleanup.over();
    assert.equal((await lan.nodes[0].sh("nft list tables")).trim(), "");
  });
});
