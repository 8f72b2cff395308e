import { Namespace } from "./namespace.ts";
import { Program, scriptPath } from "./program.ts";

/**
 * A LAN with a client and two nodes, each with a pod behind it, in namespaces of this process:
 *
 *     client 192.0.2.99, 2001:db8::99        n1 .11 ::11 (pod 10.244.1.2, fd01::2)        n2 .12 ::12 (pod 10.244.2.2, fd02::2)
 */
export class Lan {
  readonly client: Namespace;
  readonly nodes: readonly [Namespace, Namespace];
  readonly #all: readonly Namespace[];
  readonly #switch: Namespace;
  readonly #programs: Program[] = [];

  private constructor(
    client: Namespace,
    nodes: readonly [Namespace, Namespace],
    ethernetSwitch: Namespace,
    all: readonly Namespace[],
  ) {
    this.client = client;
    this.nodes = nodes;
    this.#switch = ethernetSwitch;
    this.#all = all;
  }

  static async create(): Promise<Lan> {
    const [client, n1, n2, pod1, pod2, lan] = await Promise.all([
      Namespace.create("client"),
      Namespace.create("n1"),
      Namespace.create("n2"),
      Namespace.create("pod1"),
      Namespace.create("pod2"),
      Namespace.create("switch"),
    ]);
    const created = new Lan(client, [n1, n2], lan, [client, n1, n2, pod1, pod2, lan]);
    try {
      await created.#build(pod1, pod2);
    } catch (error) {
      created.destroy();
      throw error;
    }
    return created;
  }

  async #build(pod1: Namespace, pod2: Namespace): Promise<void> {
    const lan = this.#switch;
    const [n1, n2] = this.nodes;
    await lan.sh("ip link add br0 type bridge mcast_snooping 0; ip link set br0 up");
    for (const [index, host] of [this.client, n1, n2].entries()) {
      await lan.connect(host, `p${index}`, "eth0");
      await lan.sh(`ip link set p${index} master br0`);
      const number = [99, 11, 12][index];
      await host.sh(`ip addr add 192.0.2.${number}/24 dev eth0; ip addr add 2001:db8::${number}/64 dev eth0 nodad`);
    }
    for (const [number, node, pod] of [
      [1, n1, pod1],
      [2, n2, pod2],
    ] as const) {
      const other = 3 - number;
      await node.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
      await node.connect(pod, "cni0", "eth0");
      await node.sh(`ip addr add 10.244.${number}.1/24 dev cni0; ip addr add fd0${number}::1/64 dev cni0 nodad`);
      await pod.sh(`ip addr add 10.244.${number}.2/24 dev eth0; ip addr add fd0${number}::2/64 dev eth0 nodad`);
      await pod.sh(`ip route add default via 10.244.${number}.1; ip -6 route add default via fd0${number}::1`);
      await node.sh(`ip route add 10.244.${other}.0/24 via 192.0.2.1${other}`);
      await node.sh(`ip -6 route add fd0${other}::/64 via 2001:db8::1${other}`);
    }
    await this.start(pod1, "echo-server.ts", ["pod1"]);
    await this.start(pod2, "echo-server.ts", ["pod2"]);
  }

  /** One more interface of a host on the LAN, up and without an address. `port`: a name of its own on the switch. */
  async addInterface(host: Namespace, port: string, name: string): Promise<void> {
    await this.#switch.connect(host, port, name);
    await this.#switch.sh(`ip link set ${port} master br0`);
  }

  /** Runs a script of this folder in a namespace, and waits for its first line. */
  async start(namespace: Namespace, script: string, args: readonly string[]): Promise<Program> {
    const program = new Program(namespace, script, args);
    this.#programs.push(program);
    await program.line();
    return program;
  }

  /** What the client hears when it asks so often. */
  async ask(
    protocol: "tcp" | "udp" | "udp-without-checksum",
    address: string,
    port: number,
    times = 1,
    sourcePort = 0,
  ): Promise<readonly string[]> {
    const words = [process.execPath, scriptPath("ask.ts"), protocol, address, port, times, sourcePort];
    return (await this.client.sh(words.join(" "))).trim().split("\n");
  }

  destroy(): void {
    for (const program of this.#programs) program.kill();
    for (const namespace of this.#all) namespace.destroy();
  }
}
