import { formatAddress, parseAddress } from "../../src/ip/address.ts";
import type { Peer } from "../peers/peer.ts";
import type { LastPeer } from "./last-stakes.ts";

export function lastPeerOf({ node, addresses, port, macs, kubeletPort }: Peer): LastPeer {
  return { node, addresses: addresses.map(formatAddress), port, macs: [...macs], kubeletPort };
}

/** Leaves out addresses that are not IP addresses. */
export function peerOf({ node, addresses, port, macs, kubeletPort }: LastPeer): Peer {
  return { node, addresses: addresses.flatMap((text) => parseAddress(text) ?? []), port, macs, kubeletPort };
}
