import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endpoint, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import type { Ask } from "./ask-many.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import type { Program } from "./program.ts";
import { RulesNode } from "./rules-node.ts";
import { stickyKubeProxy } from "./sticky-kube-proxy.ts";
import { nodePorts, podPorts } from "./web-service.ts";

const families = ["IPv4", "IPv6"] as const;
type Family = (typeof families)[number];
const addresses = { IPv4: "192.0.2.200", IPv6: "2001:db8::200" } as const;
const pods = {
  IPv4: ["10.244.1.2", "10.244.2.2", "10.244.3.2"],
  IPv6: ["fd01::2", "fd02::2", "fd03::2"],
} as const;
/** Addresses of the host that asks, each a client of its own. */
const clients = Array.from({ length: 24 }, (_, index) => index + 101);
const sourceOf = (family: Family, client: number) => (family === "IPv4" ? `192.0.2.${client}` : `2001:db8::${client}`);

const skip = skipReason() ?? false;
describe("a node dies, and kube-proxy, which has not noticed, keeps each client at its pod", { skip }, () => {
  let lan: Lan;
  let finished = () => {};
  let n1: RulesNode;
  let node: RulesNode["cluster"];
  let client: Program;
  let sourcePort = 20_000;
  before(async () => {
    lan = await Lan.create({ count: 3 });
    finished = () => lan.destroy();
    for (const number of clients)
      await lan.client.sh(
        `ip addr add 192.0.2.${number}/24 dev eth0; ip addr add 2001:db8::${number}/64 dev eth0 nodad`,
      );
    client = await lan.start(lan.client, "ask-many.ts", []);
    n1 = await RulesNode.create(lan, Object.values(addresses));
    node = n1.cluster;
    finished = () => {
      n1.stop();
      lan.destroy();
    };
    const view = service({ ports: nodePorts, affinityTimeoutSeconds: 10_800 });
    node.services.set(view.key, view);
    node.rules.serviceChanged(view.key);
  });
  after(() => finished());

  /** The cluster, and kube-proxy with it, sees these pods as ready. Returns when Bellhop leaves the Service to kube-proxy. */
  async function pass(isReady: (pod: number) => boolean): Promise<void> {
    for (const family of families) {
      const key = `default/web-${family}`;
      const endpoints = pods[family].map((pod, index) =>
        endpoint(pod, `n${index + 1}`, isReady(index + 1) ? {} : { ready: false, serving: false }),
      );
      node.slices.set(key, slice(endpoints, { key, ports: podPorts, family }));
      node.rules.sliceChanged(key);
      const ready = pods[family].filter((_, index) => isReady(index + 1));
      const text = stickyKubeProxy(family === "IPv4" ? "ip" : "ip6", {
        address: addresses[family],
        pods: pods[family],
        ready,
      });
      await lan.nodes[0].sh(`nft '${text}'`);
    }
    await n1.writeUntilKnown();
  }

  /** The pod that answers each client. */
  async function ask(
    protocol: "tcp" | "udp",
    family: Family,
    among = clients,
    again = false,
  ): Promise<readonly string[]> {
    const asks = among.map((number): Ask => {
      sourcePort += 1;
      const [address, source] = [addresses[family], sourceOf(family, number)];
      return { protocol, source, sourcePort, address, port: protocol === "tcp" ? 80 : 53 };
    });
    const answers: readonly string[] = JSON.parse(await client.say(JSON.stringify(asks)));
    const podOf = (answer: string) => answer.trim().split(" ")[0] ?? "";
    // A busy machine may have been too slow. A dead pod is silent every time.
    if (!again && answers.includes("silence")) return ask(protocol, family, among, true);
    return answers.map(podOf);
  }

  for (const protocol of ["tcp", "udp"] as const)
    for (const family of families) {
      test(`${protocol}, ${family}: clients of living pods keep them, and others have a living one at once`, async () => {
        await lan.nodes[1].sh("ip link set eth0 up; ip -6 addr replace 2001:db8::12/64 dev eth0 nodad");
        await lan.nodes[1].sh(
          "ip route replace 10.244.1.0/24 via 192.0.2.11; ip -6 route replace fd01::/64 via 2001:db8::11",
        );
        for (const pod of pods[family]) await lan.nodes[0].sh(`until ping -n -c 1 -W 1 ${pod}; do :; done`);
        node.rules.setDeadNodes([]);
        await pass(() => true);
        const old = clients.slice(0, 18);
        const before = await ask(protocol, family, old);
        assert.deepEqual([...new Set(before)].sort(), ["pod1", "pod2", "pod3"]);
        assert.deepEqual(await ask(protocol, family, old), before);

        await lan.nodes[1].sh("ip link set eth0 down");
        assert.equal(node.rules.setDeadNodes(["n2"]), true);
        await n1.write();
        const during = await ask(protocol, family);
        for (const [index, pod] of during.entries()) {
          if (before[index] === undefined || before[index] === "pod2")
            assert.ok(["pod1", "pod3"].includes(pod), `${pod} answers client ${index + 1}`);
          else assert.equal(pod, before[index], `client ${index + 1}`);
        }
        assert.deepEqual(await ask(protocol, family), during, "they stay");
        n1.dataplane.invalidate();
        await n1.write();
        assert.deepEqual(await ask(protocol, family), during, "also when the table is replaced");

        await pass((pod) => pod !== 2);
        const noticed = await ask(protocol, family, old);
        for (const [index, pod] of noticed.entries()) {
          assert.ok(["pod1", "pod3"].includes(pod), `${pod} answers client ${index + 1}`);
          if (before[index] !== "pod2") assert.equal(pod, before[index], "kube-proxy has not forgotten it");
        }
      });
    }
});
