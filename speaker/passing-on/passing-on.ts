import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { isOnLan } from "../../src/ip/lan.ts";
import { ownersOf } from "../../src/placement/owner-assignment.ts";
import type { Dataplane } from "../dataplane/dataplane.ts";
import type { Holder } from "../dataplane/holders.ts";
import type { Link } from "../links/link.ts";
import type { PeerDirectory } from "../peers/peer.ts";
import { HolderHistory } from "./holder-history.ts";

export interface PassingOnOptions {
  /** Name of this node. */
  readonly node: string;
  readonly dataplane: Pick<Dataplane, "setHolders" | "setPeer" | "setDeadNodes">;
  readonly identities: { readonly views: PeerDirectory };
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly host: { readonly links: readonly Link[] };
}

/** For how many addresses a node remembers the others that have answered although it is no longer an owner: the last ones. */
const maxFormer = 10_000;

/** An address, and the nodes that have answered for it before, as an earlier speaker of this node has kept them. */
export interface KeptAddress {
  readonly address: string;
  readonly previous: readonly string[];
}

/**
 * Tells the data plane to which nodes it passes packets of unknown connections on, by which nodes have answered for each address. The
 * changes are collected until `apply`, because the data plane takes none while it writes.
 *
 * A node that is no longer an owner of an address still knows connections to it, and through it packets find the nodes that answered before it. So
 * it continues as long as a Service has the address, and learns from the status of the VirtualIP which node answers.
 */
export class PassingOn {
  readonly #options: PassingOnOptions;
  readonly #history = new HolderHistory();
  /** Addresses whose holders have changed, or are forgotten. */
  #due = new Set<string>();
  /** Whether the way to nodes may have changed. */
  #allDue = false;
  readonly #duePeers = new Set<string>();
  #dead: ReadonlySet<string> = new Set();
  #deadDue = false;
  readonly #restored = new Map<string, readonly string[]>();
  /** By name of the VirtualIP, until it is listed. */
  readonly #restoredFormer = new Map<string, KeptAddress>();
  readonly #stakes = new Set<string>();
  /** Of those, the ones that wait, and those whose elements are in the write under way. */
  readonly #unwritten = new Set<string>();
  #writing: readonly string[] = [];
  /** By name of the VirtualIP: addresses that this node was an owner of. The one that was longest ago comes first. */
  readonly #former = new Map<string, string>();

  constructor(options: PassingOnOptions) {
    this.#options = options;
  }

  /**
   * This node has begun to answer for the address. `from`: the node that did before, if it is known; this node itself where an earlier speaker of it did.
   * Returns whether there is something to apply.
   */
  begun(address: string, from: string | undefined): boolean {
    return this.#changed(address, this.#history.begun(address, this.#unlessOwn(from)));
  }

  /** Another node answers for it; undefined: none is known. Returns whether there is something to apply. */
  heldBy(address: string, node: string | undefined): boolean {
    if (!this.#stakes.has(address) && !this.#history.has(address)) return false;
    return this.#changed(address, this.#history.heldBy(address, this.#unlessOwn(node)));
  }

  /** There is a new stake in the address. `announcedBy`: the node that announces it, by the status of its VirtualIP. */
  stakeAdded(address: string, announcedBy: string | undefined): void {
    if (this.#stakes.has(address)) return;
    this.#stakes.add(address);
    this.#former.delete(nameOf(address));
    const previous = this.#restored.get(address) ?? [];
    this.#changed(address, this.#history.seed(address, this.#unlessOwn(announcedBy), previous));
    this.#restored.delete(address);
  }

  /**
   * Whether a stake that would be new has to wait for the next `written`: another node announces the address and continues to, and this one
   * would reset the packets of connections there until the kernel has its elements. The stake counts as added from now on.
   */
  mustWait(address: string, announcedBy: string | undefined): boolean {
    const isNew = !this.#stakes.has(address);
    this.stakeAdded(address, announcedBy);
    if (isNew && this.#isElsewhere(announcedBy)) {
      this.#unwritten.add(address);
      this.#due.add(address);
    }
    return this.#unwritten.has(address);
  }

  /** Call it before anything is listed. `former`: addresses that this node was an owner of, as `former` returns them. */
  restore(stakes: readonly KeptAddress[], former: readonly KeptAddress[]): void {
    // Earlier versions have kept this node, too.
    const others = (kept: KeptAddress) => kept.previous.filter((node) => node !== this.#options.node);
    for (const kept of stakes) this.#restored.set(kept.address, others(kept));
    for (const kept of former) this.#restoredFormer.set(nameOf(kept.address), { ...kept, previous: others(kept) });
  }

  /** All VirtualIPs are listed: what was kept of others is of no use. */
  everythingListed(): void {
    this.#restoredFormer.clear();
  }

  /** The addresses that this node was an owner of, for the next speaker of this node. The one that was longest ago comes first. */
  get former(): readonly KeptAddress[] {
    return [...this.#former.values()].map((address) => ({ address, previous: this.previousOf(address) }));
  }

  /** The other nodes that answer for the address or have answered: for the next speaker of this node they have answered before. Two at most. */
  previousOf(address: string): readonly string[] {
    return this.#history.toKeep(address);
  }

  /** This node has no stake in the address any longer; nothing happens if it had none. */
  stakeRemoved(address: string): void {
    if (!this.#stakes.delete(address)) return;
    this.#unwritten.delete(address);
    const name = nameOf(address);
    if (!this.#isInUse(name, address)) {
      this.#forget(address);
      return;
    }
    this.#former.set(name, address);
    for (const [oldest, text] of this.#former) {
      if (this.#former.size <= maxFormer) break;
      this.#former.delete(oldest);
      this.#forget(text);
    }
  }

  /** A VirtualIP was added, changed or deleted. Returns whether there is something to apply. */
  virtualIpChanged(name: string): boolean {
    const kept = this.#restoredFormer.get(name);
    if (kept !== undefined) return this.#resumeFormer(name, kept);
    const address = this.#former.get(name);
    if (address === undefined) return false;
    if (this.#isInUse(name, address)) {
      // This node does not announce it any longer, whatever the status says.
      const other = this.#unlessOwn(this.#options.virtualIps.views.get(name)?.status?.node);
      return other !== undefined && this.heldBy(address, other);
    }
    this.#former.delete(name);
    this.#forget(address);
    return true;
  }

  /** The SpeakerIdentity of the node has changed. */
  peerChanged(node: string): void {
    if (node === this.#options.node) return;
    this.#duePeers.add(node);
    this.#allDue = true;
  }

  linksChanged(): void {
    this.#allDue = true;
  }

  /** All nodes that are dead. Returns whether there is something to apply. */
  deadNodesChanged(nodes: ReadonlySet<string>): boolean {
    if (nodes.size === this.#dead.size && [...nodes].every((node) => this.#dead.has(node))) return false;
    this.#dead = nodes;
    this.#deadDue = true;
    return true;
  }

  /** Passes on to the data plane what has changed. Not while it writes. */
  apply(): void {
    const { dataplane, identities } = this.#options;
    for (const node of this.#duePeers) dataplane.setPeer(node, identities.views.get(node)?.macs ?? []);
    this.#duePeers.clear();
    if (this.#deadDue) dataplane.setDeadNodes(this.#dead);
    this.#deadDue = false;
    const due = this.#allDue ? new Set([...this.#due, ...this.#history.addresses]) : this.#due;
    this.#due = new Set();
    this.#allDue = false;
    for (const text of due) this.#applyOne(text);
    this.#writing = [...due].filter((text) => this.#unwritten.has(text));
  }

  /** The data plane has written, or cannot. Returns the addresses that waited for that. */
  written(): readonly string[] {
    const written = this.#writing.filter((text) => this.#unwritten.delete(text));
    this.#writing = [];
    return written;
  }

  /** Continues with an address that an earlier speaker of this node was an owner of. Returns whether there is something to apply. */
  #resumeFormer(name: string, { address, previous }: KeptAddress): boolean {
    const { node, virtualIps } = this.#options;
    const virtualIp = virtualIps.views.get(name);
    if (virtualIp === undefined) return false;
    this.#restoredFormer.delete(name);
    if (!this.#isInUse(name, address) || this.#stakes.has(address)) return false;
    if (ownersOf(virtualIp).owners.includes(node)) {
      this.#restored.set(address, previous);
      return false;
    }
    this.#former.set(name, address);
    return this.#changed(address, this.#history.seed(address, this.#unlessOwn(virtualIp.status?.node), previous));
  }

  /** Whether another node that is not dead announces it. */
  #isElsewhere(announcedBy: string | undefined): boolean {
    const other = this.#unlessOwn(announcedBy);
    return other !== undefined && !this.#dead.has(other);
  }

  #unlessOwn(node: string | undefined): string | undefined {
    return node === this.#options.node ? undefined : node;
  }

  #isInUse(name: string, address: string): boolean {
    const spec = this.#options.virtualIps.views.get(name)?.spec;
    const used = spec === undefined || spec.services.length === 0 ? undefined : parseAddress(spec.address);
    return used !== undefined && formatAddress(used) === address;
  }

  #forget(address: string): void {
    this.#history.forget(address);
    this.#due.add(address);
  }

  #changed(address: string, changed: boolean): boolean {
    if (changed) this.#due.add(address);
    return changed;
  }

  #applyOne(text: string): void {
    const address = parseAddress(text);
    if (address === undefined) return;
    const known = this.#history.of(text);
    if (known === undefined) {
      this.#options.dataplane.setHolders(address, undefined);
      return;
    }
    const current = known.current === undefined ? undefined : this.#holder(known.current, address);
    const previous = known.previous.flatMap((node) => this.#holder(node, address) ?? []);
    this.#options.dataplane.setHolders(address, { current, previous });
  }

  /** Undefined: the node cannot be reached by an address of this family on a LAN of this node. */
  #holder(node: string, { family }: IpAddress): Holder | undefined {
    const { identities, host } = this.#options;
    const peer = identities.views.get(node);
    const address = peer?.addresses.find((one) => one.family === family);
    if (peer === undefined || address === undefined) return undefined;
    const link = host.links.find(({ up, subnets }) => up && isOnLan(subnets, address));
    if (link === undefined) return undefined;
    return { node, macs: peer.macs, address, device: { name: link.name, index: link.index } };
  }
}

/** The name of the VirtualIP of the address; empty for a text that is not an address. */
function nameOf(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? "" : virtualIpName(address);
}
