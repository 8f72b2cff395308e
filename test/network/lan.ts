import { Namespace } from "./namespace.ts";
import { Program, scriptPath } from "./program.ts";

/** Quicker than RFC 3810 section 9 has it: 125 s between queries, and 260 s until a report is forgotten. */
export const membershipMs = 4000;

/** A switch that snoops and queries; its times are in units of 10 ms. */
const snooping = [
  "mcast_snooping 1 mcast_querier 1 mcast_mld_version 2 mcast_query_interval 100 mcast_startup_query_interval 50",
  `mcast_query_response_interval 50 mcast_membership_interval ${membershipMs / 10}`,
].join(" ");

export interface LanOptions {
  /** How many nodes; 2 by default. */
  readonly count?: 2 | 3 | 4;
  /** The script of this folder that each pod runs, with its name; by default one that says this name. */
  readonly server?: string;
  /** The switch passes multicast only to ports that reported the group by MLD, and forgets a report after `membershipMs`. */
  readonly mldSnooping?: boolean;
}

/**
 * A LAN with a client and two to four nodes, each with a pod behind it, in namespaces of this process:
 *
 *     client 192.0.2.99, 2001:db8::99        n1 .11 ::11 (pod 10.244.1.2, fd01::2)        n2 .12 ::12 (pod 10.244.2.2, fd02::2) …
 */
export class Lan {
  readonly client: Namespace;
  readonly nodes: readonly [Namespace, Namespace, ...Namespace[]];
  readonly pods: readonly Namespace[];
  readonly #switch: Namespace;
  readonly #programs: Program[] = [];

  private constructor(
    client: Namespace,
    nodes: readonly [Namespace, Namespace, ...Namespace[]],
    pods: readonly Namespace[],
    ethernetSwitch: Namespace,
  ) {
    this.client = client;
    this.nodes = nodes;
    this.pods = pods;
    this.#switch = ethernetSwitch;
  }

  static async create(options: LanOptions = {}): Promise<Lan> {
    const { count = 2, server = "echo-server.ts", mldSnooping = false } = options;
    const [client, n1, n2, pod1, pod2, lan] = await Promise.all([
      Namespace.create("client"),
      Namespace.create("n1"),
      Namespace.create("n2"),
      Namespace.create("pod1"),
      Namespace.create("pod2"),
      Namespace.create("switch"),
    ]);
    const others = Array.from({ length: count - 2 }, (_, index) => index + 3);
    const create = (kind: string) => Promise.all(others.map((number) => Namespace.create(`${kind}${number}`)));
    const [more, morePods] = [await create("n"), await create("pod")];
    const created = new Lan(client, [n1, n2, ...more], [pod1, pod2, ...morePods], lan);
    try {
      await created.#build(server, mldSnooping);
    } catch (error) {
      created.destroy();
      throw error;
    }
    return created;
  }

  async #build(server: string, mldSnooping: boolean): Promise<void> {
    const lan = this.#switch;
    await lan.sh(`ip link add br0 type bridge ${mldSnooping ? snooping : "mcast_snooping 0"}; ip link set br0 up`);
    for (const [index, host] of [this.client, ...this.nodes].entries()) {
      await lan.connect(host, `p${index}`, "eth0");
      await lan.sh(`ip link set p${index} master br0`);
      if (mldSnooping) await lan.sh(`bridge link set dev p${index} mcast_flood off`);
      const number = index === 0 ? 99 : 10 + index;
      await host.sh(`ip addr add 192.0.2.${number}/24 dev eth0; ip addr add 2001:db8::${number}/64 dev eth0 nodad`);
    }
    for (const [index, node] of this.nodes.entries()) {
      const number = index + 1;
      const pod = this.pods[index] ?? node;
      await node.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
      await node.connect(pod, "cni0", "eth0");
      await node.sh(`ip addr add 10.244.${number}.1/24 dev cni0; ip addr add fd0${number}::1/64 dev cni0 nodad`);
      await pod.sh(`ip addr add 10.244.${number}.2/24 dev eth0; ip addr add fd0${number}::2/64 dev eth0 nodad`);
      await pod.sh(`ip route add default via 10.244.${number}.1; ip -6 route add default via fd0${number}::1`);
      for (let other = 1; other <= this.nodes.length; other++) {
        if (other === number) continue;
        await node.sh(`ip route add 10.244.${other}.0/24 via 192.0.2.1${other}`);
        await node.sh(`ip -6 route add fd0${other}::/64 via 2001:db8::1${other}`);
      }
    }
    for (const [index, pod] of this.pods.entries()) await this.start(pod, server, [`pod${index + 1}`]);
  }

  /** One more interface of a host on the LAN, up and without an address. `port`: a name of its own on the switch. */
  async addInterface(host: Namespace, port: string, name: string): Promise<void> {
    await this.#switch.connect(host, port, name);
    await this.#switch.sh(`ip link set ${port} master br0`);
  }

  /** The multicast groups that the switch has members of at the port of a node, which counts from 1. Empty unless it snoops. */
  async groupsOf(node: number): Promise<readonly string[]> {
    const output = await this.#switch.sh("bridge mdb show dev br0");
    return output.split("\n").flatMap((line) => {
      const [, port, group] = /port (\S+) grp (\S+)/.exec(line) ?? [];
      return port === `p${node}` && group !== undefined ? [group] : [];
    });
  }

  /** Runs a script of this folder in a namespace, and waits for its first line. */
  async start(namespace: Namespace, script: string, args: readonly string[]): Promise<Program> {
    const program = new Program(namespace, script, args);
    this.#programs.push(program);
    await program.line();
    return program;
  }

  /**
   * What the client, or another host, hears when it asks so often. `sourcePort`: below net.ipv4.ip_local_port_range, so that no other client has it by
   * chance.
   */
  async ask(
    protocol: "tcp" | "udp" | "udp-without-checksum",
    address: string,
    port: number,
    times = 1,
    sourcePort = 0,
    from = this.client,
  ): Promise<readonly string[]> {
    const words = [process.execPath, scriptPath("ask.ts"), protocol, address, port, times, sourcePort];
    return (await from.sh(words.join(" "))).trim().split("\n");
  }

  destroy(): void {
    for (const program of this.#programs) program.kill();
    for (const namespace of [this.client, ...this.nodes, ...this.pods, this.#switch]) namespace.destroy();
  }
}
