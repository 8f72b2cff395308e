import assert from "node:assert/strict";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import type { Holder } from "../../speaker/dataplane/holders.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { type IpFamily, parseAddress } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { endpoint, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import type { Lan } from "./lan.ts";
import type { Namespace } from "./namespace.ts";
import { RemoteKernel } from "./remote-kernel.ts";
import { kubeProxyTable, podPorts } from "./web-service.ts";

/** Nodes by their number, 1 to 4. */
export type NodeNumber = 1 | 2 | 3 | 4;
export const numbers = [1, 2, 3, 4] as const;
export const families = ["IPv4", "IPv6"] as const;
/** The addresses of the Service. */
export const addresses = { IPv4: "192.0.2.200", IPv6: "2001:db8::200" } as const;
const hostOf = (number: number, family: IpFamily) =>
  family === "IPv4" ? `192.0.2.1${number}` : `2001:db8::1${number}`;
const podOf = (number: number, family: IpFamily) => (family === "IPv4" ? `10.244.${number}.2` : `fd0${number}::2`);

/** A node of a LAN of four with its data plane, and with kube-proxy, which always chooses the pod of this node. */
export class LanNode {
  readonly number: NodeNumber;
  readonly namespace: Namespace;
  readonly dataplane: Dataplane;
  readonly #kernel: RemoteKernel;
  readonly #peers: readonly Holder[][];
  #tcpLoose = true;

  private constructor(number: NodeNumber, namespace: Namespace, kernel: RemoteKernel, peers: readonly Holder[][]) {
    this.number = number;
    this.namespace = namespace;
    this.#kernel = kernel;
    this.#peers = peers;
    this.dataplane = createKernelDataplane(kernel);
  }

  static async create(number: NodeNumber, lan: Lan): Promise<LanNode> {
    const namespace = lan.nodes[number - 1];
    if (namespace === undefined) throw new Error(`no node ${number}`);
    for (const family of families) {
      const here = { address: addresses[family], node: hostOf(number, family), pod: podOf(number, family) };
      await namespace.sh(`nft '${kubeProxyTable(family === "IPv4" ? "ip" : "ip6", here)}'`);
    }
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
    return new LanNode(number, namespace, await RemoteKernel.start(namespace), peers);
  }

  /** The hardware address of its interface on the LAN. */
  get mac(): string {
    return this.#peers[this.number - 1]?.[0]?.macs[0] ?? "";
  }

  async put(view: ServiceView, tcpLoose: boolean): Promise<void> {
    this.#tcpLoose = tcpLoose;
    await this.namespace.sh(`sysctl -qw net.netfilter.nf_conntrack_tcp_loose=${tcpLoose ? 1 : 0}`);
    // As with externalTrafficPolicy Local: each node has its own pod, so that a connection that changes its node breaks.
    const slices = families.map((family) =>
      slice([endpoint(podOf(this.number, family), `n${this.number}`)], {
        key: `default/web-${family}`,
        ports: podPorts,
        family,
      }),
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
    const { failures } = await this.dataplane.apply({ nodeAddresses: this.#facts.addresses, tcpLoose: this.#tcpLoose });
    assert.deepEqual(failures, []);
    assert.deepEqual(this.dataplane.refusedServices, []);
  }

  /** What it knows of the holders; without numbers: nothing. `strangers`: it does not know the others' hardware addresses. */
  async holders(current?: NodeNumber | "self", previous: readonly NodeNumber[] = [], strangers = false): Promise<void> {
    for (const [index, family] of families.entries()) {
      const address = parseAddress(addresses[family]);
      if (address === undefined) throw new Error(family);
      const other = (number: NodeNumber): readonly Holder[] => {
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

/** The hardware address of a node's interface on the LAN. */
export async function macOf(lan: Lan, number: NodeNumber): Promise<string> {
  return (await lan.nodes[number - 1]?.sh("cat /sys/class/net/eth0/address"))?.trim() ?? "";
}
