import type { VirtualIP } from "../../src/config/virtual-ip.ts";
import { addressBytes, formatAddress, type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { parseMac } from "../../src/packet/mac.ts";
import { type Link, linksFor } from "../links/link.ts";
import type { ResponderState, StationState } from "../responder/commands-between.ts";

/** An address that this node is to answer for. */
export interface Announcement {
  /** Name of the VirtualIP. */
  readonly name: string;
  readonly address: IpAddress;
  readonly text: string;
  /** Where; none: this node should announce it, but no interface that is up is on its LAN. */
  readonly links: readonly Link[];
}

/**
 * What this node announces: the addresses that some Service has and whose owner list it heads. Whether it lives is not asked here:
 * a speaker that runs is alive.
 */
export function planAnnouncements(
  virtualIps: Iterable<VirtualIP>,
  links: readonly Link[],
  node: string,
): readonly Announcement[] {
  const announcements: Announcement[] = [];
  for (const { metadata, spec } of virtualIps) {
    if (spec.owners[0] !== node || spec.services.length === 0) continue;
    const address = parseAddress(spec.address);
    if (address === undefined) continue;
    const text = formatAddress(address);
    announcements.push({ name: metadata.name, address, text, links: linksFor(links, address, spec.interfaces) });
  }
  return announcements;
}

/** Names of the interfaces on whose LAN there is an address of a Service, whichever node announces it. Sorted. */
export function lanInterfaces(virtualIps: Iterable<VirtualIP>, links: readonly Link[]): readonly string[] {
  const names = new Set<string>();
  for (const { spec } of virtualIps) {
    if (names.size === links.length) break;
    const address = spec.services.length === 0 ? undefined : parseAddress(spec.address);
    if (address === undefined) continue;
    for (const link of linksFor(links, address, [])) names.add(link.name);
  }
  return [...names].sort();
}

/** The same for the responder: by interface. With `only`, other addresses are left out. */
export function responderState(
  announcements: readonly Announcement[],
  only?: (announcement: Announcement, link: Link) => boolean,
): ResponderState {
  const state = new Map<string, StationState & { readonly addresses: Map<string, Uint8Array> }>();
  for (const announcement of announcements) {
    for (const link of announcement.links) {
      const macBytes = parseMac(link.mac);
      if (macBytes === undefined || only?.(announcement, link) === false) continue;
      const station = state.get(link.name) ?? { index: link.index, mac: link.mac, macBytes, addresses: new Map() };
      station.addresses.set(announcement.text, addressBytes(announcement.address));
      state.set(link.name, station);
    }
  }
  return state;
}
