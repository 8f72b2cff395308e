import { hostIsLittleEndian } from "../../src/netlink/byte-order.ts";
import { type Data, protocolNumbers } from "../../src/nft/data.ts";
import { keyId } from "../../src/nft/set.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { type ElementRef, nftKey, type SetName } from "./element.ts";

/** The same text for the same family, set and key: a character for family and set, and the kernel's bytes of the key. */
export function elementId(element: ElementRef): string {
  return endpointId(element) ?? rawElementId(element.family, element.set, keyId(nftKey(element)));
}

/**
 * The same for endpoints of IPv4, which are nearly all elements of a large cluster, in one call: to put strings together takes longer, and V8 keeps the
 * parts of a long one beside it. Undefined: another element.
 */
function endpointId(element: ElementRef): string | undefined {
  const { family, set } = element;
  if (family !== "ip") return undefined;
  switch (set) {
    case "tcp_endpoints":
    case "udp_endpoints": {
      const { address, port, index } = element.key;
      const service = Number(address.value);
      const number = inHostOrder(index);
      return String.fromCharCode(
        idPrefixOf(family, set).charCodeAt(0),
        service >>> 24,
        (service >>> 16) & 0xff,
        (service >>> 8) & 0xff,
        service & 0xff,
        port >> 8,
        port & 0xff,
        0,
        0,
        number & 0xff,
        (number >>> 8) & 0xff,
        (number >>> 16) & 0xff,
        number >>> 24,
      );
    }
    case "remote_endpoints": {
      const { address, protocol, endpoint } = element.key;
      const service = Number(address.value);
      const pod = Number(endpoint.address.value);
      return String.fromCharCode(
        idPrefixOf(family, set).charCodeAt(0),
        service >>> 24,
        (service >>> 16) & 0xff,
        (service >>> 8) & 0xff,
        service & 0xff,
        protocolNumbers[protocol],
        0,
        0,
        0,
        pod >>> 24,
        (pod >>> 16) & 0xff,
        (pod >>> 8) & 0xff,
        pod & 0xff,
        endpoint.port >> 8,
        endpoint.port & 0xff,
        0,
        0,
      );
    }
    default:
      return undefined;
  }
}

/** A number of 32 bits whose lowest byte is the first one in the machine's order. */
function inHostOrder(number: number): number {
  if (hostIsLittleEndian) return number;
  return ((number & 0xff) << 24) | ((number & 0xff00) << 8) | ((number >>> 8) & 0xff00) | (number >>> 24);
}

/** The same, of a key that is in the kernel's bytes already. */
export function rawElementId(family: NftIpFamily, set: SetName, key: string): string {
  return idPrefixOf(family, set) + key;
}

/** What an id is about besides the key. */
export interface IdKind {
  readonly family: NftIpFamily;
  readonly set: SetName;
}

/** What ids begin with, made when it is first needed: the character whose code is the place in `idKinds`. */
const idPrefixes: Readonly<Record<NftIpFamily, { [Name in SetName]?: string }>> = { ip: {}, ip6: {} };
const idKinds: IdKind[] = [];

function idPrefixOf(family: NftIpFamily, set: SetName): string {
  const prefixes = idPrefixes[family];
  prefixes[set] ??= String.fromCharCode(idKinds.push({ family, set }) - 1);
  return prefixes[set];
}

/** Family and set of an id. */
export function idKindOf(id: string): IdKind {
  const kind = idKinds[id.charCodeAt(0)];
  if (kind === undefined) throw new RangeError("this is not the id of an element");
  return kind;
}

/** Tells the ids of elements of these sets, fast enough for hundreds of thousands. */
export function idTestFor(names: ReadonlySet<SetName>): (id: string) => boolean {
  const wanted: boolean[] = [];
  return (id) => {
    const known = wanted[id.charCodeAt(0)];
    if (known !== undefined) return known;
    const { set } = idKindOf(id);
    wanted[id.charCodeAt(0)] = names.has(set);
    return names.has(set);
  };
}

/** The key of an id: that of its element in the kernel's bytes, both ends of a range. */
export function keyOfId(id: string): Data {
  return id.slice(1);
}
