/** One instruction of classic BPF (linux/filter.h, struct sock_filter). */
export interface FilterInstruction {
  readonly code: number;
  /** How many instructions to skip when the comparison holds, and when it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Classic BPF opcodes (linux/bpf_common.h): load byte or half word, jump if equal, return a constant. */
const loadWord = 0x20;
const loadByte = 0x30;
const jumpIfEqual = 0x15;
const returnConstant = 0x06;

/**
 * SKF_AD_OFF + SKF_AD_PKTTYPE (linux/filter.h): whom the kernel takes the frame to be for. PACKET_OTHERHOST (linux/if_packet.h) are
 * frames for another host, and those with the tag of a VLAN that the node has no interface for: the kernel has taken the tag
 * off before a socket sees them, so that they look as if they belonged to the untagged LAN (__netif_receive_skb_core).
 */
const packetType = 0xffff_f000 + 4;
const otherHost = 3;

/** Accepts so many bytes of the frame; 0 drops it. */
const accept = 0xffff;

function jump(k: number, jt: number, jf: number): FilterInstruction {
  return { code: jumpIfEqual, jt, jf, k };
}

function load(code: number, k: number): FilterInstruction {
  return { code, jt: 0, jf: 0, k };
}

function end(k: number): FilterInstruction {
  return { code: returnConstant, jt: 0, jf: 0, k };
}

/** For a socket bound to ETH_P_ARP: everything that is for this node. */
export const arpFilter: readonly FilterInstruction[] = [
  load(loadWord, packetType),
  jump(otherHost, 1, 0),
  end(accept),
  end(0),
];

/**
 * For a socket bound to ETH_P_IPV6: ICMPv6 Neighbor Solicitations and Advertisements. Byte 20 is the next header (6
 * into the IPv6 header), byte 54 the ICMPv6 type. Without it the socket would copy all IPv6 traffic of the node to us.
 */
export const ndpFilter: readonly FilterInstruction[] = [
  load(loadWord, packetType),
  jump(otherHost, 6, 0),
  load(loadByte, 20),
  jump(58, 0, 4),
  load(loadByte, 54),
  jump(135, 1, 0),
  jump(136, 0, 1),
  end(accept),
  end(0),
];
