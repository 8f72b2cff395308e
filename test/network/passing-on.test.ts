import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import type { Holder } from "../../speaker/dataplane/holders.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { type IpFamily, parseAddress } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, endpoint, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { Lan } from "./lan.ts";
import type { Namespace } from "./namespace.ts";
import { skipReason } from "./namespace.ts";
import type { Program } from "./program.ts";
import { RemoteKernel } from "./remote-kernel.ts";

/** Nodes by their number, 1 to 3. */
type Number = 1 | 2 | 3;
const numbers = [1, 2, 3] as const;
const addresses = { IPv4: "192.0.2.200", IPv6: "2001:db8::200" } as const;
const families = ["IPv4", "IPv6"] as const;
const hostOf = (number: number, family: IpFamily) =>
  family === "IPv4" ? `192.0.2.1${number}` : `2001:db8::1${number}`;
const podOf = (number: number, family: IpFamily) => (family === "IPv4" ? `10.244.${number}.2` : `fd0${number}::2`);

const nodePorts = [
  port({ name: "http", nodePort: 30080 }),
  port({ name: "dns", protocol: "UDP", port: 53, nodePort: 30053 }),
];
const views = {
  "straight to pods": service({ ports: nodePorts.map((one) => ({ ...one, nodePort: 0 })) }),
  "by kube-proxy": service({ ports: nodePorts }),
  "by the node port": service({ ...byNodePort, ports: nodePorts }),
};

/** kube-proxy on a node that always chooses the pod of this node: for the address, and for the node ports. */
function kubeProxyRules(number: number, family: IpFamily): string {
  const ip = family === "IPv4" ? "ip" : "ip6";
  const pod = family === "IPv4" ? podOf(number, family) : `[${podOf(number, family)}]`;
  const rules = [
    [addresses[family], "tcp dport 80", 8080],
    [addresses[family], "udp dport 53", 5353],
    [hostOf(number, family), "tcp dport 30080", 8080],
    [hostOf(number, family), "udp dport 30053", 5353],
  ].map(([to, what, target]) => `${ip} daddr ${to} ${what} meta mark set 0x4000 dnat to ${pod}:${target}`);
  return `table ${ip} kube-proxy {
    chain nat-prerouting { type nat hook prerouting priority -100;
      ${rules.join("\n")}
    }
    chain nat-postrouting { type nat hook postrouting priority 100; meta mark 0x4000 masquerade; }
  }`;
}

/** A node with its data plane. */
class Node {
  readonly number: Number;
  readonly namespace: Namespace;
  readonly dataplane: Dataplane;
  readonly #kernel: RemoteKernel;
  readonly #peers: readonly Holder[][];
  tcpLoose = true;

  private constructor(number: Number, namespace: Namespace, kernel: RemoteKernel, peers: readonly Holder[][]) {
    this.number = number;
    this.namespace = namespace;
    this.#kernel = kernel;
    this.#peers = peers;
    this.dataplane = createKernelDataplane(kernel);
  }

  static async create(number: Number, lan: Lan): Promise<Node> {
    const namespace = lan.nodes[number - 1];
    if (namespace === undefined) throw new Error(`no node ${number}`);
    for (const family of families) await namespace.sh(`nft '${kubeProxyRules(number, family)}'`);
    const index = Number((await namespace.sh("cat /sys/class/net/eth0/ifindex")).trim());
    const peers = await Promise.all(
      numbers.map(async (other) => {
        const mac = await macOf(lan, other);
        return families.map((family): Holder => {
          const address = parseAddress(hostOf(other, family));
          if (address === undefined) throw new Error(family);
          return { node: `n${other}`, address, macs: [mac], device: { name: "eth0", index } };
        });
      }),
    );
    return new Node(number, namespace, await RemoteKernel.start(namespace), peers);
  }

  async put(view: ServiceView, tcpLoose: boolean): Promise<void> {
    this.tcpLoose = tcpLoose;
    await this.namespace.sh(`sysctl -qw net.netfilter.nf_conntrack_tcp_loose=${tcpLoose ? 1 : 0}`);
    const ports = [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "dns", protocol: "UDP", port: 5353 },
    ] as const;
    // As with externalTrafficPolicy Local: each node has its own pod, so that a connection that changes its node breaks.
    const slices = families.map((family) =>
      slice([endpoint(podOf(this.number, family), `n${this.number}`)], { key: `default/web-${family}`, ports, family }),
    );
    const vips = Object.values(addresses).flatMap((text) => parseAddress(text) ?? []);
    this.dataplane.setService(view.key, renderService(view, slices, vips, this.#facts, {}).elements);
    await this.apply();
  }

  get #facts() {
    const { number } = this;
    const own = { IPv4: hostOf(number, "IPv4"), IPv6: hostOf(number, "IPv6") };
    return { name: `n${number}`, addresses: own, answersPing: true, hashSeed: 1 };
  }

  async apply(): Promise<void> {
    const { failures } = await this.dataplane.apply({ nodeAddresses: this.#facts.addresses, tcpLoose: this.tcpLoose });
    assert.deepEqual(failures, []);
    assert.deepEqual(this.dataplane.refusedServices, []);
  }

  /** What it knows of the holders; without numbers: nothing. `strangers`: it does not know the others' hardware addresses. */
  async holders(current?: Number | "self", previous: readonly Number[] = [], strangers = false): Promise<void> {
    for (const [index, family] of families.entries()) {
      const address = parseAddress(addresses[family]);
      if (address === undefined) throw new Error(family);
      const other = (number: Number): readonly Holder[] => {
        const found = this.#peers[number - 1]?.[index];
        return found === undefined ? [] : [strangers ? { ...found, macs: [] } : found];
      };
      const [now] = current === undefined || current === "self" ? [] : other(current);
      this.dataplane.setHolders(
        address,
        current === undefined ? undefined : { current: now, previous: previous.flatMap(other) },
      );
    }
    for (const [peer] of this.#peers)
      if (peer !== undefined && peer.node !== `n${this.number}`)
        this.dataplane.setPeer(peer.node, strangers ? [] : peer.macs);
    await this.apply();
  }

  stop(): void {
    this.dataplane.stop();
    this.#kernel.kill();
  }
}

async function macOf(lan: Lan, number: Number): Promise<string> {
  return (await lan.nodes[number - 1]?.sh("cat /sys/class/net/eth0/address"))?.trim() ?? "";
}

const skip = skipReason() ?? false;
describe("connections survive moves of their address", { skip }, () => {
  let lan: Lan;
  let nodes: readonly [Node, Node, Node];
  let finished = () => {};
  before(async () => {
    lan = await Lan.create({ three: true, server: "talking-server.ts" });
    finished = () => lan.destroy();
    nodes = [await Node.create(1, lan), await Node.create(2, lan), await Node.create(3, lan)];
    finished = () => {
      for (const node of nodes) node.stop();
      lan.destroy();
    };
  });
  after(() => finished());

  async function start(view: ServiceView, tcpLoose = true): Promise<void> {
    for (const node of nodes) {
      await node.holders();
      await node.put(view, tcpLoose);
      await node.namespace.sh("conntrack -F 2>/dev/null");
    }
  }

  /** The client sends to this node from now on, as after gratuitous frames. */
  async function sendTo(number: Number): Promise<void> {
    const mac = await macOf(lan, number);
    for (const address of Object.values(addresses))
      await lan.client.sh(`ip neigh replace ${address} lladdr ${mac} dev eth0 nud permanent`);
  }

  /** The address has moved from node to node, and all have seen it. */
  async function moved(...held: readonly Number[]): Promise<void> {
    const current = held.at(-1) ?? 1;
    for (const { number } of nodes) {
      const before = held.slice(0, Math.max(0, held.lastIndexOf(number))).toReversed();
      const others = [...new Set(before)].filter((one) => one !== number && one !== current);
      await nodes[number - 1]?.holders(number === current ? "self" : current, others);
    }
    await sendTo(current);
  }

  async function withClient(family: IpFamily, use: (client: Talk) => Promise<void>): Promise<void> {
    const program = await lan.start(lan.client, "talking-client.ts", [addresses[family]]);
    try {
      await use(new Talk(program));
    } finally {
      program.kill();
    }
  }

  for (const [words, view] of Object.entries(views)) {
    for (const family of families) {
      for (const tcpLoose of [true, false]) {
        test(`${words}, ${family}, nf_conntrack_tcp_loose ${tcpLoose ? 1 : 0}: through moves from node to node and back`, async () => {
          await start(view, tcpLoose);
          await moved(1);
          await withClient(family, async (client) => {
            const all: string[] = [];
            const openAt = async (number: Number) => {
              assert.deepEqual(await client.say("open 5"), both(Array(5).fill(`pod${number}`)));
              all.push(...Array(5).fill(`pod${number}`));
            };
            await openAt(1);
            await moved(1, 2);
            assert.deepEqual(await client.say("ask"), both(all), "after one move");
            await openAt(2);
            await moved(1, 2, 3);
            assert.deepEqual(await client.say("ask"), both(all), "after two moves");
            await openAt(3);
            await moved(1, 2, 3, 1);
            assert.deepEqual(await client.say("ask"), both(all), "back again");
            await openAt(1);
          });
        });
      }
    }
  }

  let nextPort = 50_000;
  for (const [words, view] of Object.entries(views)) {
    for (const family of families) {
      for (const ending of ["reset", "lost"]) {
        test(`${words}, ${family}: an old connection from the same port, ${ending}, does not catch the packets of a new one`, async () => {
          await start(view);
          nextPort += 10;
          const open = `open 3 ${nextPort}`;
          const table = `${family === "IPv4" ? "ip" : "ip6"} silence`;
          const chain = "chain input { type filter hook prerouting priority -350; tcp flags rst drop; }";
          await moved(1);
          await withClient(family, async (client) => {
            await client.say(open);
            // As when the node was cut off: connection tracking keeps the connection for days.
            if (ending === "lost") await nodes[0].namespace.sh(`nft 'table ${table} { ${chain}; }'`);
            await client.say("reset");
            await moved(1, 2);
            if (ending === "lost") await nodes[0].namespace.sh(`nft delete table ${table}`);
            assert.deepEqual((await client.say(open)).tcp, Array(3).fill("pod2"));
            await moved(1, 2, 1);
            assert.deepEqual((await client.say("ask")).tcp, Array(3).fill("pod2"));
          });
        });
      }
    }
  }

  test("the end of a connection reaches the node that knows it", async () => {
    await start(views["by the node port"]);
    await moved(1);
    await withClient("IPv4", async (client) => {
      await client.say("open 1");
      await moved(1, 2);
      await client.say("end");
    });
    const states = () => nodes[0].namespace.sh("conntrack -L -p tcp 2>/dev/null");
    const limitMs = performance.now() + 5_000;
    while (/ESTABLISHED.*dport=30080/.test(await states()) && performance.now() < limitMs);
    assert.match(await states(), /(?:TIME_WAIT|LAST_ACK|CLOSE).*dport=30080/);
  });

  test("a node without memory resets what it does not know", async () => {
    await start(views["straight to pods"]);
    await moved(1);
    await withClient("IPv4", async (client) => {
      await client.say("open 1");
      await moved(1, 2, 3);
      await nodes[1].holders(3);
      assert.deepEqual((await client.say("ask")).tcp, ["ECONNRESET"]);
    });
  });

  for (const tcpLoose of [true, false]) {
    test(`what only a dead node knew is reset, nf_conntrack_tcp_loose ${tcpLoose ? 1 : 0}`, async () => {
      await start(views["straight to pods"], tcpLoose);
      await moved(1);
      await withClient("IPv4", async (client) => {
        await client.say("open 1");
        await moved(1, 2);
        nodes[1].dataplane.setDeadNodes(new Set(["n1"]));
        await nodes[1].apply();
        assert.deepEqual((await client.say("ask")).tcp, ["ECONNRESET"]);
        nodes[1].dataplane.setDeadNodes(new Set());
        await nodes[1].apply();
      });
    });
  }

  test("nodes that send to one another in a ring do not send a packet round for ever", async () => {
    for (const strangers of [false, true]) {
      await start(views["straight to pods"]);
      await moved(1);
      await withClient("IPv4", async (client) => {
        await client.say("open 1");
        await nodes[0].namespace.sh("conntrack -D -p tcp -d 192.0.2.200");
        // Clients of earlier tests send their FINs again for a while: what they send is counted, too.
        const sent = "chain output { type filter hook output priority 0; ip daddr 192.0.2.200 counter; }";
        await lan.client.sh(`nft 'table ip count { ${sent}; }'`);
        for (const [at, to] of [
          [0, 2],
          [1, 3],
          [2, 1],
        ] as const) {
          // Counters begin again.
          nodes[at]?.dataplane.invalidate();
          await nodes[at]?.holders(to, [to], strangers);
        }
        assert.deepEqual((await client.say("ask")).tcp, ["ECONNRESET"]);
        const counts = async (namespace: Namespace) =>
          [...(await namespace.sh("nft list ruleset ip")).matchAll(/counter packets (\d+)/g)].map(([, n]) => Number(n));
        const passes = (await Promise.all(nodes.map(({ namespace }) => counts(namespace)))).flat();
        const total = passes.reduce((sum, count) => sum + count, 0);
        // What the client sends after the passes were counted only makes this larger.
        const [packets = 0] = await counts(lan.client);
        assert.ok(total > 0 && total <= 4 * packets, `${total} passes of ${packets} packets`);
        await lan.client.sh("nft delete table ip count");
      });
    }
  });
});

interface Answers {
  readonly tcp: readonly string[];
  readonly udp: readonly string[];
}

function both(answers: readonly string[]): Answers {
  return { tcp: answers, udp: answers };
}

/** The client program. */
class Talk {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  async say(text: string): Promise<Answers> {
    return JSON.parse(await this.#program.say(text)) as Answers;
  }
}
