import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { NameIndex } from "../../src/index/name-index.ts";
import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { parseMac } from "../../src/packet/mac.ts";
import { announcingInterfaces } from "../../src/placement/announcing-interfaces.ts";
import { interfacePatternsOf, ownersOf, ownersTermOf } from "../../src/placement/owner-assignment.ts";
import { type Link, linksFor } from "../links/link.ts";
import type { AnnouncedInterface } from "../responder/announced-interface.ts";

/** How many owners of an address take part: as many as the controller writes (maxOwners in controller/owners/owner-list.ts). */
const maxOwners = 3;

/** An address that a Service has, with the nodes that may announce it. */
export interface PlannedStake {
  /** Name of the VirtualIP. */
  readonly name: string;
  readonly address: IpAddress;
  readonly text: string;
  /** Names of nodes, in order of preference. */
  readonly owners: readonly string[];
  readonly term: number;
  /** When the VirtualIP was created, in seconds since 1970. */
  readonly createdSeconds: number;
  /** The node that announces it, by the status. */
  readonly announcedBy: string | undefined;
  /** Whether no speaker has announced it yet, so that another device may have it. */
  readonly isNew: boolean;
  /** The interfaces that this node would announce it on; none: no interface that is up is on its LAN. */
  readonly links: readonly Link[];
}

/**
 * The addresses of Services that this node is an owner of, and those whose owner it was until another node has taken over. Kept VirtualIP
 * by VirtualIP, so that a change of one costs nothing for the others; does no input or output.
 */
export class StakePlan {
  readonly #node: string;
  #links: readonly Link[] = [];
  readonly #stakes = new Map<string, PlannedStake>();
  /** Names of the VirtualIPs of an address; nearly always one. */
  readonly #names = new NameIndex();
  /**
   * By VirtualIP that a Service has: the interfaces on whose LAN its address is, whichever node announces it, and those that this
   * node announces it from as soon as it is its turn.
   */
  readonly #lans = new Map<string, readonly Link[]>();
  /** By interface: how many of these VirtualIPs are on its LAN. */
  readonly #lanCounts = new Map<string, number>();

  constructor(node: string) {
    this.#node = node;
  }

  /** Plans all VirtualIPs again, for these interfaces; costs as much as there are VirtualIPs. */
  rebuild(links: readonly Link[], virtualIps: ReadonlyMap<string, VirtualIP>): void {
    this.#links = links;
    for (const name of [...this.#stakes.keys(), ...this.#lans.keys()])
      if (!virtualIps.has(name)) this.put(name, undefined);
    for (const [name, virtualIp] of virtualIps) this.put(name, virtualIp);
  }

  /** One VirtualIP as it is now; undefined: it is gone. Returns the addresses whose stake may have changed, at most two. */
  put(name: string, virtualIp: VirtualIP | undefined): readonly string[] {
    const before = this.#stakes.get(name);
    const spec = virtualIp?.spec;
    const address = spec === undefined || spec.services.length === 0 ? undefined : parseAddress(spec.address);
    if (virtualIp === undefined || address === undefined) {
      this.#setLans(name, []);
      this.#setStake(name, undefined);
      return before === undefined ? [] : [before.text];
    }
    const assignment = ownersOf(virtualIp);
    const text = formatAddress(address);
    const isOwner = assignment.owners.includes(this.#node);
    const wasOwner = before?.text === text && assignment.owners.length > 0;
    const links = isOwner
      ? linksFor(this.#links, address, interfacePatternsOf(assignment, this.#node))
      : this.#links.filter((link) => wasOwner && link.up && before.links.some(({ name }) => name === link.name));
    this.#setLans(name, [...new Set([...announcingInterfaces(this.#links, address, []), ...links])]);
    const owners = assignment.owners.slice(0, maxOwners);
    const stake = {
      name,
      address,
      text,
      owners,
      term: ownersTermOf(virtualIp),
      createdSeconds: secondsOf(virtualIp.metadata.creationTimestamp),
      announcedBy: virtualIp.status?.node,
      isNew: virtualIp.spec.probe === true && !wasAnnounced(virtualIp),
      links,
    };
    this.#setStake(name, isOwner || wasOwner ? stake : undefined);
    return before === undefined || before.text === text ? [text] : [before.text, text];
  }

  /** The stake in the address. Of several VirtualIPs with one address, the one that is named by it counts, or the first by name. */
  get(text: string): PlannedStake | undefined {
    const stakes = [...this.#names.of(text)].sort().flatMap((name) => this.#stakes.get(name) ?? []);
    return stakes.find(({ name, address }) => name === virtualIpName(address)) ?? stakes[0];
  }

  /** This node is no longer an owner of the address, and does not announce it. */
  forget(text: string): void {
    for (const name of [...this.#names.of(text)])
      if (this.#stakes.get(name)?.owners.includes(this.#node) === false) this.#setStake(name, undefined);
  }

  /** The address of a VirtualIP that there is a stake in, as text. */
  textOf(name: string): string | undefined {
    return this.#stakes.get(name)?.text;
  }

  /** The addresses that there is a stake in, as text. */
  get texts(): Iterable<string> {
    return this.#names.keys;
  }

  /** Names of the interfaces on whose LAN there is an address of a Service, whichever node announces it. Sorted. */
  get lanInterfaces(): readonly string[] {
    return [...this.#lanCounts.keys()].sort();
  }

  #setStake(name: string, stake: PlannedStake | undefined): void {
    const before = this.#stakes.get(name);
    if (before !== undefined && before.text !== stake?.text) this.#names.delete(before.text, name);
    if (stake === undefined) {
      this.#stakes.delete(name);
      return;
    }
    this.#stakes.set(name, stake);
    this.#names.add(stake.text, name);
  }

  #setLans(name: string, lans: readonly Link[]): void {
    for (const { name: interfaceName } of this.#lans.get(name) ?? []) {
      const left = (this.#lanCounts.get(interfaceName) ?? 0) - 1;
      if (left > 0) this.#lanCounts.set(interfaceName, left);
      else this.#lanCounts.delete(interfaceName);
    }
    for (const { name: interfaceName } of lans) {
      this.#lanCounts.set(interfaceName, (this.#lanCounts.get(interfaceName) ?? 0) + 1);
    }
    if (lans.length > 0) this.#lans.set(name, lans);
    else this.#lans.delete(name);
  }
}

/** Speakers of earlier versions announce without a probe, and do not say `probed`. */
function wasAnnounced({ status }: VirtualIP): boolean {
  return status?.probed === true || status?.node !== undefined;
}

/** The interface for the responder; undefined where its hardware address does not have six bytes. */
export function announcedInterfaceOf({ name, index, mac }: Link): AnnouncedInterface | undefined {
  const macBytes = parseMac(mac);
  return macBytes === undefined ? undefined : { name, index, mac, macBytes };
}

/** 0: there is no such time in the object. */
function secondsOf(creationTimestamp: string): number {
  const ms = Date.parse(creationTimestamp);
  return Number.isNaN(ms) ? 0 : Math.max(0, Math.floor(ms / 1000));
}
