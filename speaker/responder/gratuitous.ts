import { encodeArp } from "../../src/packet/arp.ts";
import { encodeEthernet, etherTypes } from "../../src/packet/ethernet.ts";
import { broadcastMac, zeroMac } from "../../src/packet/mac.ts";
import { allNodes, multicastMac } from "../../src/packet/ndp.ts";
import { advertisementFrame } from "./respond.ts";

/**
 * Milliseconds after a takeover at which the address is announced without a request. The first ones are for speed, and for frames lost
 * while a switch port settles. Those at 1 s and later are needed: Linux ignores a new hardware address for an entry that
 * changed less than `locktime` (1 s, net/ipv4/arp.c) ago, RFC 5227 section 1.1 requires two announcements 2 s apart, and RFC 4861
 * section 7.2.6 allows three 1 s apart.
 */
export const burstMs: readonly number[] = [0, 50, 150, 400, 1000, 2000];

/**
 * How often an address is announced after that, without end, because a switch that restarts forgets where it is. A node with very many
 * addresses takes longer for a round (`RepeatQueue`).
 */
export const repeatMs = 30_000;

/**
 * The wait before the announcement that follows the `sent`-th one of a takeover. `random` is in [0, 1): the slow repeat is
 * spread by a tenth to either side, so that the addresses of a node do not stay in step.
 */
export function nextAnnouncementDelay(sent: number, random: () => number): number {
  const previous = burstMs[sent - 1];
  const next = burstMs[sent];
  if (next !== undefined) return next - (previous ?? 0);
  return repeatMs * (0.9 + 0.2 * random());
}

/**
 * The frames of one announcement: for IPv4 both forms of gratuitous ARP, because some equipment honours only requests and some
 * only replies (RFC 5944 section 4.6); for IPv6 an unsolicited Neighbor Advertisement that overrides (RFC 4861 section 7.2.6).
 */
export function gratuitousFrames(mac: Uint8Array, address: Uint8Array): readonly Uint8Array[] {
  if (address.length === 16) {
    const to = { destination: allNodes, destinationMac: multicastMac(allNodes), solicited: false };
    return [advertisementFrame(mac, address, to)];
  }
  return [gratuitousArp("request", mac, address, zeroMac), gratuitousArp("reply", mac, address, mac)];
}

function gratuitousArp(
  operation: "request" | "reply",
  mac: Uint8Array,
  address: Uint8Array,
  targetMac: Uint8Array,
): Uint8Array {
  const payload = encodeArp({ operation, senderMac: mac, senderAddress: address, targetMac, targetAddress: address });
  return encodeEthernet({ destination: broadcastMac, source: mac, etherType: etherTypes.arp, payload });
}
