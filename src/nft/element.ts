import { formatAddress, type IpAddress } from "../ip/address.ts";
import { formatRange, type IpRange } from "../ip/range.ts";

/** Protocols that our rules match by, as nft and conntrack(8) spell them. */
export type NftProtocol = "tcp" | "udp" | "sctp";

/**
 * One part of a key or of a value, as data. nft has one data type for each kind: ipv4_addr or ipv6_addr (`address`, `range`),
 * inet_proto, inet_service, ifname, integer (`index`) and verdict (`goto`).
 */
export type NftData =
  | { readonly kind: "address"; readonly address: IpAddress }
  /** All addresses from the first to the last; only in sets with `flags interval`. */
  | { readonly kind: "range"; readonly range: IpRange }
  | { readonly kind: "protocol"; readonly protocol: NftProtocol }
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "interface"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "goto"; readonly chain: string };

/** An element of a set, or of a map when it has a value. Several parts are one concatenation, in the order of the declaration. */
export interface NftElement {
  readonly key: readonly NftData[];
  readonly value?: readonly NftData[];
}

/** A key or a value in nft's language: `192.0.2.1 . tcp . 80`. For printing and comparing; nothing reads it back. */
export function printData(parts: readonly NftData[]): string {
  return parts.map(printPart).join(" . ");
}

function printPart(part: NftData): string {
  switch (part.kind) {
    case "address":
      return formatAddress(part.address);
    case "range":
      return formatRange(part.range);
    case "protocol":
      return part.protocol;
    case "port":
      return String(part.port);
    case "interface":
      return `"${part.name}"`;
    case "index":
      return String(part.index);
    case "goto":
      return `goto ${part.chain}`;
  }
}
