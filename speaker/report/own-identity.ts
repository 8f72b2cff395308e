import { maxIdentityMacs, type SpeakerIdentitySpec } from "../../src/api/speaker-identity.ts";
import { formatAddress, type IpAddress, ipFamilies, parseAddress } from "../../src/ip/address.ts";
import type { NodeView } from "../../src/model/node.ts";
import type { Link } from "../links/link.ts";
import type { Peer } from "../peers/peer.ts";

export interface OwnIdentityInput {
  readonly node: Pick<NodeView, "internalIPs" | "kubeletPort">;
  /** Whether an interface of the node has the address, in canonical form. */
  readonly isOnNode: (address: string) => boolean;
  readonly links: readonly Pick<Link, "mac">[];
  readonly port: number;
}

/**
 * What the SpeakerIdentity of this node should contain. Of each family the first InternalIP that is on the node: other nodes reach that one
 * without address translation. IPv4 comes first. Pure.
 */
export function ownIdentity({ node, isOnNode, links, port }: OwnIdentityInput): SpeakerIdentitySpec {
  const parsed = node.internalIPs.flatMap((text) => parseAddress(text) ?? []);
  const present = parsed.filter((address) => !isLinkLocal(address) && isOnNode(formatAddress(address)));
  const addresses = ipFamilies.flatMap((family) => present.find((address) => address.family === family) ?? []);
  const macs = [...new Set(links.map(({ mac }) => mac))].toSorted().slice(0, maxIdentityMacs);
  return { addresses: addresses.map(formatAddress), port, macs, kubeletPort: node.kubeletPort };
}

/** Whether the object contains this already. Pure. */
export function isWritten(
  { addresses, port, macs, kubeletPort }: SpeakerIdentitySpec,
  present: Peer | undefined,
): boolean {
  return (
    present !== undefined &&
    present.port === port &&
    present.kubeletPort === kubeletPort &&
    present.addresses.map(formatAddress).join() === addresses.join() &&
    present.macs.join() === macs.join()
  );
}

/** 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291): without the name of an interface they lead nowhere. */
function isLinkLocal({ family, value }: IpAddress): boolean {
  return family === "IPv4" ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;
}
