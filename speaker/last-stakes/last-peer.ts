import { formatAddress, parseAddress } from "../../src/ip/address.ts";
import type { Peer } from "../peers/peer.ts";
import type { LastPeer } from "./last-stakes.ts";

export function lastPeerOf({ node, addresses, port, macs }: Peer): LastPeer {
  return { node, addresses: addresses.map(formatAddress), port, macs: [...macs] };
}

/** Leaves out addresses that are not IP addresses. */
export function peerOf({ node, addresses, port, macs }: LastPeer): Peer {
  return { node, addresses: addresses.flatMap((text) => parseAddress(text) ?? []), port, macs };
}
