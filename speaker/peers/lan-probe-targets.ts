import { addressBytes, type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { rangeContains } from "../../src/ip/range.ts";
import type { Link } from "../links/link.ts";
import type { LanProbe } from "../responder/lan-probe.ts";
import type { LanProbeTargets } from "../responder/lan-probes.ts";
import type { PeerDirectory } from "./peer.ts";

/** Which gateways (and witnesses) and peers are on a LAN of this node, and how the responder thread asks them. Pure; costs as much as there are peers. */
export function lanProbeTargets(
  node: string,
  links: readonly Link[],
  gateways: readonly string[],
  peers: PeerDirectory,
): LanProbeTargets {
  const nodes = new Map<string, LanProbe>();
  for (const peer of peers.values()) {
    if (peer.node === node) continue;
    const [probe] = peer.addresses.flatMap((address) => probeOf(links, address) ?? []);
    if (probe !== undefined) nodes.set(peer.node, probe);
  }
  const probes = gateways.flatMap((text) => {
    const address = parseAddress(text);
    return address === undefined ? [] : (probeOf(links, address) ?? []);
  });
  return { gateways: probes, nodes };
}

/** Whether the address, as text, can be asked: it is on a LAN of this node, and not its own. Pure. */
export function isOnSomeLan(links: readonly Link[], text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && probeOf(links, address) !== undefined;
}

/** Undefined: the address is on no LAN of an interface that is up. */
function probeOf(links: readonly Link[], target: IpAddress): LanProbe | undefined {
  for (const { name, up, subnets, addresses } of links) {
    const lan = up ? subnets.find((subnet) => isLan(subnet) && rangeContains(subnet, target)) : undefined;
    if (lan === undefined) continue;
    for (const cidr of addresses) {
      const source = parseAddress(cidr.slice(0, cidr.indexOf("/")));
      if (source?.family === target.family && rangeContains(lan, source) && source.value !== target.value)
        return { interfaceName: name, target: addressBytes(target), source: addressBytes(source) };
    }
  }
  return undefined;
}
