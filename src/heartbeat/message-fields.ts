import { addressFromBytes, formatAddress } from "../ip/address.ts";
import { parseAddressBytes } from "../ip/parse-address-bytes.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { type Claim, maxNameLength } from "./messages.ts";

/** Lower-case letters, digits, dots and dashes, none of the last two at an end (RFC 1123 section 2.1). */
const nodeName = /^[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;

/** Throws RangeError for a name that no node can have. */
export function writeName(writer: ByteWriter, name: string): void {
  if (name.length > maxNameLength || !nodeName.test(name)) throw new RangeError("not the name of a node");
  writer.uint8(name.length);
  writer.latin1(name);
}

/** Undefined: no node has such a name. */
export function readName(reader: ByteReader): string | undefined {
  const name = reader.latin1(reader.uint8());
  return name.length <= maxNameLength && nodeName.test(name) ? name : undefined;
}

/** The length of the address in one byte, then the address. Throws RangeError for a text that is not an address in canonical form. */
export function writeAddress(writer: ByteWriter, text: string): void {
  const bytes = parseAddressBytes(text);
  if (bytes === undefined) throw new RangeError("not an IP address in canonical form");
  writer.uint8(bytes.length);
  writer.bytes(bytes);
}

/** In canonical form. Undefined: it is not an address. */
export function readAddress(reader: ByteReader): string | undefined {
  const bytes = reader.bytes(reader.uint8());
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const address = addressFromBytes(bytes);
  // An IPv4 address within an IPv6 one (RFC 4291 section 2.5.5.2) is not an address by our rules.
  if (address.family === "IPv6" && address.value >> 32n === 0xffffn) return undefined;
  return formatAddress(address);
}

export function writeClaim(writer: ByteWriter, { createdSeconds, term, epoch, rank }: Claim): void {
  writer.uint32(createdSeconds);
  writer.uint48(term);
  writer.uint32(epoch);
  writer.uint8(rank);
}

export function readClaim(reader: ByteReader): Claim {
  return { createdSeconds: reader.uint32(), term: reader.uint48(), epoch: reader.uint32(), rank: reader.uint8() };
}
