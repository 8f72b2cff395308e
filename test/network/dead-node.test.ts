import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, endpoint, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { RulesNode } from "./rules-node.ts";
import { kubeProxyTable, nodePorts, podPorts, withoutNodePorts } from "./web-service.ts";
import { withTalkingClient } from "./with-talking-client.ts";

const addresses = { IPv4: "192.0.2.200", IPv6: "2001:db8::200" } as const;
const families = ["IPv4", "IPv6"] as const;
const own = { IPv4: "192.0.2.11", IPv6: "2001:db8::11" } as const;
const pods = { IPv4: ["10.244.1.2", "10.244.2.2"], IPv6: ["fd01::2", "fd02::2"] } as const;
const views = {
  "straight to pods": service({ ports: withoutNodePorts(nodePorts) }),
  "by kube-proxy": service({ ports: nodePorts }),
};

/** kube-proxy, which sends everything to the pod of n2, and continues to do so after its death. */
const kubeProxyTables = families.map((family) =>
  kubeProxyTable(family === "IPv4" ? "ip" : "ip6", {
    address: addresses[family],
    node: own[family],
    pod: pods[family][1],
  }),
);

const skip = skipReason() ?? false;
describe("a node dies, and kube-proxy has not noticed", { skip }, () => {
  let lan: Lan;
  let finished = () => {};
  let n1: RulesNode;
  let node: RulesNode["cluster"];
  before(async () => {
    lan = await Lan.create({ server: "talking-server.ts" });
    finished = () => lan.destroy();
    for (const table of kubeProxyTables) await lan.nodes[0].sh(`nft '${table}'`);
    n1 = await RulesNode.create(lan, Object.values(addresses));
    node = n1.cluster;
    finished = () => {
      n1.stop();
      lan.destroy();
    };
  });
  after(() => finished());

  async function start(view: ServiceView): Promise<void> {
    node.rules.setDeadNodes([]);
    node.services.set(view.key, view);
    node.rules.serviceChanged(view.key);
    for (const family of families) {
      const endpoints = pods[family].map((pod, index) => endpoint(pod, `n${index + 1}`));
      node.slices.set(
        `default/web-${family}`,
        slice(endpoints, { key: `default/web-${family}`, ports: podPorts, family }),
      );
      node.rules.sliceChanged(`default/web-${family}`);
    }
    await n1.writeUntilKnown();
    await lan.nodes[1].sh("ip link set eth0 up");
    await lan.nodes[1].sh(
      "ip -6 addr replace 2001:db8::12/64 dev eth0 nodad; ip -6 route replace fd01::/64 via 2001:db8::11",
    );
    await lan.nodes[1].sh("ip route replace 10.244.1.0/24 via 192.0.2.11");
    // The answer to a SYN that is sent twice takes so long that the client waits for seconds before it sends anything again.
    for (const family of families) await lan.nodes[0].sh(`until ping -n -c 1 -W 1 ${pods[family][1]}; do :; done`);
  }

  /** What is tracked of connections through our address to the pod of n2. */
  async function tracked(family: (typeof families)[number], what = `-d ${addresses[family]}`): Promise<string[]> {
    const name = family === "IPv4" ? "ipv4" : "ipv6";
    const list = await lan.nodes[0].sh(`conntrack -L -f ${name} ${what} 2>/dev/null`);
    return list.split("\n").filter((line) => line.includes(`src=${pods[family][1]} `));
  }

  /** Until nothing that is tracked leads to the dead pod through our address, but for connections that had ended before. */
  async function untilGone(family: (typeof families)[number], what?: string): Promise<void> {
    const open = async () => (await tracked(family, what)).filter((line) => !line.includes("TIME_WAIT"));
    const limitMs = performance.now() + patiently(5_000);
    while ((await open()).length > 0 && performance.now() < limitMs) await sleep(20);
    assert.deepEqual(await open(), []);
  }

  for (const [words, view] of Object.entries(views)) {
    for (const family of families) {
      test(`${words}, ${family}: its connections are reset, and new ones go to a pod that lives`, async () => {
        await start(view);
        await withTalkingClient(lan, addresses[family], async (say) => {
          // Each is sent to a pod by the hash of its port: none goes to the dead one once in sixteen million times.
          const opened = await say("open 24");
          await lan.nodes[1].sh("ip link set eth0 down");
          assert.equal(node.rules.setDeadNodes(["n2"]), true);
          await n1.write();
          // At once: a packet that is on its way meanwhile is lost, and TCP sends it again.
          const asked = await say("ask");
          const expected = opened.tcp.map((pod) => (pod === "pod2" ? "ECONNRESET" : pod));
          assert.ok(expected.includes("ECONNRESET"), "some were open to it");
          assert.deepEqual(asked.tcp, expected);
          await untilGone(family);
          assert.deepEqual((await say("ask")).udp, Array(24).fill("pod1"), "flows continue with a pod that lives");
          const { tcp, udp } = await say("open 8");
          assert.deepEqual([...tcp, ...udp], Array(16).fill("pod1"));
        });
      });
    }
  }

  /** Asks from always the same port; `end`: how the client ends its connection. */
  async function askFromOnePort(end: "s.end()" | "s.resetAndDestroy()"): Promise<string> {
    const script = `const s = require("net").connect({ host: "${addresses.IPv4}", port: 80, localPort: 24000 });
      s.setTimeout(${patiently(2000)}, () => { console.log("timeout"); process.exit(); });
      s.on("connect", () => s.write("?")); s.on("error", (e) => console.log(e.code));
      s.on("data", (d) => { console.log(String(d).trim()); ${end}; });`;
    return (await lan.client.sh(`${process.execPath} -e '${script}'`)).trim();
  }

  test("a client that uses its port again meets no entry of the dead pod", async () => {
    await start(views["by kube-proxy"]);
    // The node does not learn that the client has given up.
    const noResets = "chain output { type filter hook output priority 0; tcp flags & rst == rst drop; }";
    await lan.client.sh(`nft 'table ip quiet { ${noResets}; }'`);
    assert.equal(await askFromOnePort("s.resetAndDestroy()"), "pod2");
    await lan.nodes[1].sh("ip link set eth0 down");
    node.rules.setDeadNodes(["n2"]);
    await n1.write();
    await untilGone("IPv4");
    assert.equal(await askFromOnePort("s.resetAndDestroy()"), "pod1");
    await lan.client.sh("nft delete table ip quiet");
  });

  test("what is left of ended connections stays, so that their ports are not used again, and is in no client's way", async () => {
    await start(views["by kube-proxy"]);
    await lan.nodes[0].sh("conntrack -F 2>/dev/null");
    // The client forgets the connection that it has ended, and may use its port at once.
    await lan.client.sh("sysctl -qw net.ipv4.tcp_max_tw_buckets=0");
    assert.equal(await askFromOnePort("s.end()"), "pod2");
    const limitMs = performance.now() + patiently(5_000);
    const ended = async () => (await tracked("IPv4")).filter((line) => line.includes("TIME_WAIT"));
    while ((await ended()).length === 0 && performance.now() < limitMs) await sleep(20);
    assert.equal((await ended()).length, 1);
    const program = await lan.start(lan.client, "open-connection.ts", [addresses.IPv4, "80"]);
    await lan.nodes[1].sh("ip link set eth0 down");
    node.rules.setDeadNodes(["n2"]);
    await n1.write();
    await untilGone("IPv4");
    program.kill();
    assert.equal((await ended()).length, 1, "what had ended is still tracked");
    assert.equal(await askFromOnePort("s.end()"), "pod1");
  });

  test("rewritten to a node port on request, entries of the dead pod are deleted", async () => {
    await start(service({ ...byNodePort, ports: nodePorts }));
    const program = await lan.start(lan.client, "open-connection.ts", [addresses.IPv4, "80"]);
    const entries = "-p tcp --dport 30080";
    assert.match(await lan.nodes[0].sh(`conntrack -L ${entries} 2>/dev/null`), /src=10\.244\.2\.2 /);
    await lan.nodes[1].sh("ip link set eth0 down");
    node.rules.setDeadNodes(["n2"]);
    await n1.write();
    await untilGone("IPv4", entries);
    program.kill();
  });
});
