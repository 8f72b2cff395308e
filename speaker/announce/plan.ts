import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { addressBytes, formatAddress, type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { parseMac } from "../../src/packet/mac.ts";
import { announcerOf, assumeAlive } from "../../src/placement/announcer.ts";
import { announcingInterfaces } from "../../src/placement/announcing-interfaces.ts";
import { interfacePatternsOf, ownersOf } from "../../src/placement/owner-assignment.ts";
import { type Link, linksFor } from "../links/link.ts";
import type { AnnouncedInterface } from "../responder/announced-interface.ts";
import type { InterfaceState, ResponderState } from "../responder/responder-state.ts";

/** An address that this node answers for by the plan. */
export interface Announcement {
  /** Name of the VirtualIP. */
  readonly name: string;
  readonly address: IpAddress;
  readonly text: string;
  /** The interfaces to announce it on; none: this node should announce it, but no interface that is up is on its LAN. */
  readonly links: readonly Link[];
}

/**
 * What this node announces: the addresses that a Service has and whose announcer it is (src/placement/announcer.ts). Kept VirtualIP by
 * VirtualIP, so that a change of one costs nothing for the others; does no input or output.
 */
export class AnnouncementPlan {
  readonly #node: string;
  #links: readonly Link[] = [];
  readonly #announcements = new Map<string, Announcement>();
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
    this.#announcements.clear();
    this.#lans.clear();
    this.#lanCounts.clear();
    for (const [name, virtualIp] of virtualIps) this.put(name, virtualIp);
  }

  /** One VirtualIP as it is now; undefined: it is gone. */
  put(name: string, virtualIp: VirtualIP | undefined): void {
    const spec = virtualIp?.spec;
    const address = spec === undefined || spec.services.length === 0 ? undefined : parseAddress(spec.address);
    if (virtualIp === undefined || address === undefined) {
      this.#setLans(name, []);
      this.#announcements.delete(name);
      return;
    }
    const onLan = announcingInterfaces(this.#links, address, []);
    const assignment = ownersOf(virtualIp);
    const links = assignment.owners.includes(this.#node)
      ? linksFor(this.#links, address, interfacePatternsOf(assignment, this.#node))
      : [];
    this.#setLans(name, [...new Set([...onLan, ...links])]);
    if (announcerOf(assignment.owners, assumeAlive) === this.#node)
      this.#announcements.set(name, { name, address, text: formatAddress(address), links });
    else this.#announcements.delete(name);
  }

  get(name: string): Announcement | undefined {
    return this.#announcements.get(name);
  }

  /** The VirtualIPs that are to be announced here. */
  get names(): Iterable<string> {
    return this.#announcements.keys();
  }

  /** Names of the interfaces on whose LAN there is an address of a Service, whichever node announces it. Sorted. */
  get lanInterfaces(): readonly string[] {
    return [...this.#lanCounts.keys()].sort();
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

/** The interface for the responder; undefined where its hardware address does not have six bytes. */
export function announcedInterfaceOf({ name, index, mac }: Link): AnnouncedInterface | undefined {
  const macBytes = parseMac(mac);
  return macBytes === undefined ? undefined : { name, index, mac, macBytes };
}

/** All announcements for the responder: by interface. */
export function responderState(announcements: Iterable<Announcement>): ResponderState {
  const state = new Map<string, InterfaceState & { readonly addresses: Map<string, Uint8Array> }>();
  for (const { address, text, links } of announcements) {
    for (const link of links) {
      const on = announcedInterfaceOf(link);
      if (on === undefined) continue;
      const announced = state.get(link.name) ?? { ...on, addresses: new Map<string, Uint8Array>() };
      announced.addresses.set(text, addressBytes(address));
      state.set(link.name, announced);
    }
  }
  return state;
}
