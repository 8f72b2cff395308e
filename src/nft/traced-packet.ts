import { parseAddress } from "../ip/address.ts";
import {
  addressData,
  ctDirections,
  ctStates,
  ctStatuses,
  type Data,
  etherTypes,
  interfaceData,
  interfaceTypes,
  numberData,
  portData,
  protocolNumbers,
  tcpFlags,
} from "./data.ts";
import { type FieldName, fields } from "./field.ts";

/** A packet on its way through a node, as the rules see it. `l4proto` as nft spells it. */
export interface TracedPacket {
  readonly iifname: string;
  /** The interface that it leaves by, once it is routed. */
  readonly oifname?: string;
  readonly saddr: string;
  readonly daddr: string;
  readonly l4proto: string;
  readonly sport: number;
  readonly dport: number;
  readonly mark: number;
  /** Whether it is a SYN, which opens a TCP connection. */
  readonly syn: boolean;
  /** The flags of a TCP packet that is not a SYN. Missing: a plain ACK. */
  readonly tcpFlags?: number;
  /** How many routers it may still pass. Missing: 64. */
  readonly hopLimit?: number;
  /** Its class of traffic. Missing: none. */
  readonly priority?: number;
  /** The addresses of its Ethernet frame, as data of type ether_addr. */
  readonly ether?: { readonly saddr: Data; readonly daddr: Data };
  readonly icmpType?: number;
}

/** What connection tracking knows of it. */
export interface TracedConnection {
  /** The packet as tracking first saw it. */
  readonly original: TracedPacket;
  readonly state: keyof typeof ctStates;
  readonly mark: number;
  readonly zone: number;
  readonly translated: boolean;
  readonly direction: keyof typeof ctDirections;
}

/** The bytes of a field of the packet, as the kernel would load them; undefined where it has no such field. */
export function readField(name: FieldName, packet: TracedPacket, connection: TracedConnection): Data | undefined {
  switch (name) {
    case "ip saddr":
    case "ip6 saddr":
      return readAddress(name, packet.saddr);
    case "ip daddr":
    case "ip6 daddr":
      return readAddress(name, packet.daddr);
    case "ct original ip saddr":
    case "ct original ip6 saddr":
      return readAddress(name, connection.original.saddr);
    case "ct original ip daddr":
    case "ct original ip6 daddr":
      return readAddress(name, connection.original.daddr);
    case "ct original proto-dst":
      return portData(connection.original.dport);
    case "tcp sport":
    case "udp sport":
    case "th sport":
      return hasPorts(packet) ? portData(packet.sport) : undefined;
    case "tcp dport":
    case "udp dport":
    case "th dport":
      return hasPorts(packet) ? portData(packet.dport) : undefined;
    case "tcp flags":
      return packet.l4proto === "tcp" ? numberOf(name, flagsOf(packet)) : undefined;
    case "ip ttl":
    case "ip6 hoplimit":
      return isIpv4(packet) === (name === "ip ttl") ? numberOf(name, hopLimitOf(packet)) : undefined;
    case "icmp type":
    case "icmpv6 type":
      return packet.icmpType === undefined ? undefined : numberOf(name, packet.icmpType);
    case "ether saddr":
      return packet.ether?.saddr;
    case "ether daddr":
      return packet.ether?.daddr;
    case "meta protocol":
      return numberOf(name, isIpv4(packet) ? etherTypes.ip : etherTypes.ip6);
    case "meta l4proto":
      return numberOf(name, protocolNumber(packet.l4proto));
    case "meta mark":
      return numberOf(name, packet.mark);
    case "meta priority":
      return numberOf(name, packet.priority ?? 0);
    case "meta iiftype":
      return packet.ether === undefined ? undefined : numberOf(name, interfaceTypes.ether);
    case "iifname":
      return interfaceData(packet.iifname);
    case "oifname":
      return packet.oifname === undefined ? undefined : interfaceData(packet.oifname);
    case "ct state":
      return numberOf(name, ctStates[connection.state]);
    case "ct direction":
      return numberOf(name, ctDirections[connection.direction]);
    case "ct status":
      return numberOf(name, connection.translated ? ctStatuses.dnat : 0);
    case "ct mark":
      return numberOf(name, connection.mark);
    case "ct zone":
    case "ct original zone":
      return numberOf(name, connection.zone);
  }
}

/** How many routers it may still pass. */
export function hopLimitOf({ hopLimit = 64 }: TracedPacket): number {
  return hopLimit;
}

function flagsOf({ syn, tcpFlags: flags = tcpFlags.ack }: TracedPacket): number {
  return syn ? tcpFlags.syn : flags;
}

function isIpv4({ daddr }: TracedPacket): boolean {
  return !daddr.includes(":");
}

function numberOf(name: FieldName, value: number): Data {
  return numberData(fields[name].type, value);
}

function readAddress(name: FieldName, text: string): Data | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  return (address.family === "IPv4") === (fields[name].type === "ipv4_addr") ? addressData(address) : undefined;
}

function hasPorts({ l4proto }: TracedPacket): boolean {
  return l4proto === "tcp" || l4proto === "udp" || l4proto === "sctp";
}

function protocolNumber(name: string): number {
  const found = Object.entries(protocolNumbers).find(([known]) => known === name);
  if (found === undefined) throw new TypeError(`no protocol ${name}`);
  return found[1];
}
