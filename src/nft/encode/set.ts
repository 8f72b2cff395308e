import type { MessageWriter } from "../../netlink/message-writer.ts";
import { type ByteOrder, type DataType, dataTypes, lengthOf, typeNumber } from "../data-type.ts";
import { fields, type HeaderProtocol, type PayloadField } from "../field.ts";
import type { NftSet, TypeExample } from "../set.ts";
import { descriptionAttributes, listElement, setAttributes, setFlags, verdictType } from "./attributes.ts";

/** Writes a declaration, without the names of table and set. `id` is a number that no other set of the batch has. */
export function writeSet(writer: MessageWriter, set: NftSet, id: number): void {
  const { key, data, timeoutMs } = set;
  const ranges = set.interval === true && key.length > 1;
  const flags =
    (set.interval === true ? setFlags.interval : 0) |
    (data === undefined ? 0 : setFlags.map) |
    (timeoutMs === undefined ? 0 : setFlags.timeout) |
    (set.dynamic === true ? setFlags.dynamic : 0) |
    (ranges ? setFlags.concatenation : 0);
  writer.u32Be(setAttributes.flags, flags);
  writer.u32Be(setAttributes.keyType, typeNumber(key));
  writer.u32Be(setAttributes.keyLength, lengthOf(key));
  if (data === "verdict") writer.u32Be(setAttributes.dataType, verdictType);
  else if (data !== undefined) {
    writer.u32Be(setAttributes.dataType, typeNumber(data));
    writer.u32Be(setAttributes.dataLength, lengthOf(data));
  }
  if (ranges || set.size !== undefined) writeDescription(writer, set, ranges);
  writer.u32Be(setAttributes.id, id);
  if (timeoutMs !== undefined) writer.u64Be(setAttributes.timeout, BigInt(timeoutMs));
  writer.bytes(setAttributes.userdata, Uint8Array.from(userdataOf(set)));
}

/** Ranges in concatenations need the lengths of the parts, without padding. */
function writeDescription(writer: MessageWriter, { key, size }: NftSet, ranges: boolean): void {
  const description = writer.beginNested(setAttributes.description);
  if (size !== undefined) writer.u32Be(descriptionAttributes.size, size);
  if (ranges) {
    const concatenation = writer.beginNested(descriptionAttributes.concatenation);
    for (const type of key) {
      const field = writer.beginNested(listElement);
      writer.u32Be(descriptionAttributes.fieldLength, dataTypes[type].length);
      writer.endNested(field);
    }
    writer.endNested(concatenation);
  }
  writer.endNested(description);
}

/** Types of userdata (libnftnl's include/libnftnl/udata.h, NFTNL_UDATA_SET_*): for `nft list`, the kernel does not read it. */
const userdataTypes = { keyByteOrder: 0, dataByteOrder: 1, keyTypeof: 3, dataTypeof: 4, comment: 7 } as const;

/** enum byteorder of nft(8); 0 is for concatenations and for bytes without an order. */
const byteOrders = { none: 0, host: 1, network: 2 } as const satisfies Record<ByteOrder, number>;

function userdataOf(set: NftSet): readonly number[] {
  const { key, data, comment } = set;
  return [
    ...entry(userdataTypes.keyByteOrder, littleEndian(orderOf(key))),
    ...(data === undefined
      ? []
      : entry(userdataTypes.dataByteOrder, littleEndian(data === "verdict" ? 0 : orderOf(data)))),
    ...(set.typeof === undefined ? [] : entry(userdataTypes.keyTypeof, describe(set.typeof.key))),
    ...(set.typeof === undefined || data === undefined ? [] : entry(userdataTypes.dataTypeof, describeData(set))),
    ...(comment === undefined ? [] : entry(userdataTypes.comment, [...new TextEncoder().encode(comment), 0])),
  ];
}

/** Type u8, length u8, value. */
function entry(type: number, value: readonly number[]): readonly number[] {
  if (value.length > 255) throw new RangeError(`${value.length} bytes are too long for userdata`);
  return [type, value.length, ...value];
}

/** nft(8) writes its numbers in host order, and is read on the same machine; ours are of little-endian machines. */
function littleEndian(value: number): readonly number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

function orderOf(types: readonly DataType[]): number {
  const [first] = types;
  return first === undefined || types.length > 1 ? 0 : byteOrders[dataTypes[first].order];
}

/** Kinds of expressions in nft(8) (include/expression.h, enum expr_types), and what tells one of a kind from another. */
const kinds = { verdict: 1, payload: 7, concatenation: 13, numgen: 23 } as const;

/** Numbers of headers in nft(8) (include/proto.h, enum proto_desc_id). */
const headers = { ether: 17, ip: 12, ip6: 13, tcp: 8, udp: 6, th: 11, icmp: 4, icmpv6: 14 } as const satisfies Record<
  HeaderProtocol,
  number
>;

/** `typeof`: kind and description of each example. */
function describe(examples: readonly TypeExample[]): readonly number[] {
  const [first] = examples;
  if (first !== undefined && examples.length === 1) return describeOne(first);
  const parts = examples.flatMap((example, index) => entry(index, describeOne(example)));
  return [...entry(0, littleEndian(kinds.concatenation)), ...entry(1, parts)];
}

/** Of verdicts, too: without it, every nft from 1.0.6 to 1.1.7 aborts when it lists the map. */
function describeData(set: NftSet): readonly number[] {
  return set.data === "verdict"
    ? [...entry(0, littleEndian(kinds.verdict)), ...entry(1, [])]
    : describe(set.typeof?.data ?? []);
}

function describeOne(example: TypeExample): readonly number[] {
  if (example === "numgen random mod 2") {
    // Random, modulus 2, offset 0.
    const numbers = [1, 2, 0].flatMap((value, type) => entry(type, littleEndian(value)));
    return [...entry(0, littleEndian(kinds.numgen)), ...entry(1, numbers)];
  }
  const { protocol, number }: PayloadField = fields[example];
  const numbers = [headers[protocol], number].flatMap((value, type) => entry(type, littleEndian(value)));
  return [...entry(0, littleEndian(kinds.payload)), ...entry(1, numbers)];
}
