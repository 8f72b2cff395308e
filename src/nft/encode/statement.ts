import { netfilterFamilies } from "../../netlink/netfilter.ts";
import { numberData } from "../data.ts";
import { dataTypes, lengthOf, registersOf } from "../data-type.ts";
import { type Expression, typeOf, typesOf } from "../expression.ts";
import { fieldOf, type PayloadField } from "../field.ts";
import type { NftDevice, Statement } from "../statement.ts";
import type { NftFamily } from "../transaction.ts";
import { compareOperators, payloadBases, registers } from "./attributes.ts";
import { loadExpression, loadKey, register } from "./expression.ts";
import { expressionValues } from "./expression-layouts.ts";
import type { ExpressionWriter } from "./expression-writer.ts";

/** Where the value of a statement begins; all registers are free at its start. */
const first = register(0);

/** Writes one statement as expressions of the kernel. */
export function writeStatement(writer: ExpressionWriter, family: NftFamily, statement: Statement): void {
  switch (statement.kind) {
    case "match":
      loadExpression(writer, statement.left, 0);
      writeMatch(writer, statement);
      break;
    case "lookup": {
      loadKey(writer, statement.key, 0);
      const flags = statement.operator === "in" ? undefined : expressionValues.notInSet;
      writer.add("lookup", { set: statement.set.name, source: first, flags });
      break;
    }
    case "vmap":
      loadKey(writer, statement.key, 0);
      writer.add("lookup", { set: statement.map.name, source: first, destination: registers.verdict });
      break;
    case "set":
      writeSet(writer, statement);
      break;
    case "dnat":
      writeDnat(writer, family, statement);
      break;
    case "masquerade":
      writer.add("masq", { flags: statement.fullyRandom ? expressionValues.fullyRandom : undefined });
      break;
    case "reject":
      writeReject(writer, family, statement.with);
      break;
    case "notrack":
    case "counter":
      writer.add(statement.kind, {});
      break;
    case "update":
      writeDynamic(writer, statement, statement.timeoutMs);
      break;
    case "delete":
      writeDynamic(writer, statement, undefined);
      break;
    case "fwd":
      loadDevice(writer, statement.device, 0);
      writer.add("fwd", { device: first });
      break;
    case "dup":
      writeDup(writer, statement);
      break;
    case "verdict":
      writer.add("immediate", { destination: registers.verdict, data: statement.verdict });
  }
}

type Of<Kind extends Statement["kind"]> = Extract<Statement, { readonly kind: Kind }>;

function writeMatch(writer: ExpressionWriter, { left, operator, right }: Of<"match">): void {
  if (operator !== "any") {
    writer.add("cmp", { source: first, operator: compareOperators[operator], data: right });
    return;
  }
  const type = typeOf(left);
  const none = numberData(type, 0);
  const { length } = dataTypes[type];
  writer.add("bitwise", { source: first, destination: first, length, mask: right, xor: none });
  writer.add("cmp", { source: first, operator: compareOperators["!="], data: none });
}

function writeSet(writer: ExpressionWriter, { field: name, to }: Of<"set">): void {
  const field = fieldOf(name);
  if (field.from === "payload" && dataTypes[field.type].length === 1 && hasChecksum(field)) {
    writeByte(writer, field, to);
    return;
  }
  loadExpression(writer, to, 0);
  writeField(writer, field);
}

/** The checksum is one of whole pairs of bytes: the pair is written again, with this byte changed. */
function writeByte(writer: ExpressionWriter, field: PayloadField, to: Expression): void {
  if (to.kind !== "constant") throw new TypeError("a single byte is set to a constant only");
  const start = field.offset % 2;
  const place = { base: payloadBases[field.base], offset: field.offset - start, length: 2 };
  const [mask, xor] = start === 0 ? ["\0\xff", `${to.data}\0`] : ["\xff\0", `\0${to.data}`];
  writer.add("payload", { destination: first, ...place });
  writer.add("bitwise", { source: first, destination: first, length: 2, mask, xor });
  writer.add("payload", { source: first, ...place, ...checksumOf(field) });
}

/** Writes what is in the first register into a field. */
function writeField(writer: ExpressionWriter, field: ReturnType<typeof fieldOf>): void {
  switch (field.from) {
    case "payload":
      writer.add("payload", {
        source: first,
        base: payloadBases[field.base],
        offset: field.offset,
        length: dataTypes[field.type].length,
        ...checksumOf(field),
      });
      break;
    case "meta":
      writer.add("meta", { key: field.key, source: first });
      break;
    case "ct":
      writer.add("ct", { key: field.key, source: first, direction: field.direction });
  }
}

interface Checksum {
  readonly checksumType: number;
  /** In bytes from the same base as the field. */
  readonly checksumOffset: number;
  readonly checksumFlags?: number;
}

/** Which checksum the kernel corrects. Offsets: RFC 791, RFC 9293. */
function checksumOf({ protocol, type }: PayloadField): Checksum {
  const { noChecksum, internetChecksum, pseudoHeader } = expressionValues;
  switch (protocol) {
    case "ip":
      // Of the header. Addresses count in that of TCP or UDP, too.
      return {
        checksumType: internetChecksum,
        checksumOffset: 10,
        checksumFlags: type === "ipv4_addr" ? pseudoHeader : 0,
      };
    case "tcp":
      return { checksumType: internetChecksum, checksumOffset: 16 };
    case "ip6":
      return type === "ipv6_addr"
        ? { checksumType: noChecksum, checksumOffset: 0, checksumFlags: pseudoHeader }
        : { checksumType: noChecksum, checksumOffset: 0 };
    case "udp":
      // A datagram without a checksum keeps none: the kernel corrects what is there. nft 1.0.6 writes the Internet checksum at offset 6,
      // which gives it a wrong one, and the receiver drops it.
      return { checksumType: noChecksum, checksumOffset: 0, checksumFlags: pseudoHeader };
    case "ether":
      return { checksumType: noChecksum, checksumOffset: 0 };
    default:
      throw new TypeError(`fields of ${protocol} cannot be set`);
  }
}

/** IPv6 has none in its header. */
function hasChecksum({ protocol }: PayloadField): boolean {
  return protocol === "ip" || protocol === "tcp";
}

function writeDnat(writer: ExpressionWriter, family: NftFamily, { to, port }: Of<"dnat">): void {
  const types = typesOf(to);
  loadExpression(writer, to, 0);
  const behind = registersOf(lengthOf(types.slice(0, 1)));
  if (port !== undefined) loadExpression(writer, port, behind);
  const hasPort = port !== undefined || types.length > 1;
  writer.add("nat", {
    type: expressionValues.dnat,
    family: netfilterFamilies[family],
    address: first,
    port: hasPort ? register(behind) : undefined,
  });
}

function writeReject(writer: ExpressionWriter, family: NftFamily, how: "tcp reset" | "port-unreachable"): void {
  const { tcpReset, icmpUnreachable, icmpPort, icmpv6Port } = expressionValues;
  if (how === "tcp reset") writer.add("reject", { type: tcpReset, code: 0 });
  else writer.add("reject", { type: icmpUnreachable, code: family === "ip6" ? icmpv6Port : icmpPort });
}

function writeDynamic(
  writer: ExpressionWriter,
  { kind, set, key, data }: Of<"update" | "delete">,
  timeoutMs: number | undefined,
): void {
  const behind = loadKey(writer, key, 0);
  if (data !== undefined) loadKey(writer, data, behind);
  writer.add("dynset", {
    set: set.name,
    operation: expressionValues[kind],
    key: first,
    data: data === undefined ? undefined : register(behind),
    timeout: timeoutMs,
  });
}

function writeDup(writer: ExpressionWriter, { device, to }: Of<"dup">): void {
  if (to === undefined) {
    loadDevice(writer, device, 0);
    writer.add("dup", { device: first });
    return;
  }
  loadExpression(writer, to, 0);
  const behind = registersOf(lengthOf(typesOf(to)));
  loadDevice(writer, device, behind);
  writer.add("dup", { address: first, device: register(behind) });
}

/** The index of an interface is in host order, as a mark is. */
function loadDevice(writer: ExpressionWriter, { index }: NftDevice, at: number): void {
  writer.add("immediate", { destination: register(at), data: numberData("mark", index) });
}
