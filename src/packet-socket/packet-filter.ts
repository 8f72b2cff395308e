import { end, type FilterInstruction, jump, load } from "../libc/filter-instruction.ts";

/**
 * SKF_AD_OFF + SKF_AD_PKTTYPE (linux/filter.h): whom the kernel takes the frame to be for. PACKET_OTHERHOST (linux/if_packet.h) are
 * frames for another host, and those with the tag of a VLAN that the node has no interface for: the kernel has taken the tag
 * off before a socket sees them, so that they look as if they belonged to the untagged LAN (__netif_receive_skb_core).
 */
const packetType = 0xffff_f000 + 4;
const otherHost = 3;

/** Accepts so many bytes of the frame; 0 drops it. */
const accept = 0xffff;

/** For a socket bound to ETH_P_ARP: everything that is for this node. */
export const arpFilter: readonly FilterInstruction[] = [
  load("word", packetType),
  jump(otherHost, 1, 0),
  end(accept),
  end(0),
];

/**
 * For a socket bound to ETH_P_IPV6: ICMPv6 Neighbor Solicitations and Advertisements. Byte 20 is the next header (6
 * into the IPv6 header), byte 54 the ICMPv6 type. Without it the socket would copy all IPv6 traffic of the node to us.
 */
export const ndpFilter: readonly FilterInstruction[] = [
  load("word", packetType),
  jump(otherHost, 6, 0),
  load("byte", 20),
  jump(58, 0, 4),
  load("byte", 54),
  jump(135, 1, 0),
  jump(136, 0, 1),
  end(accept),
  end(0),
];
