import { netfilterFamilies } from "../../netlink/netfilter.ts";
import { numberData } from "../data.ts";
import { dataTypes, lengthOf, registersOf } from "../data-type.ts";
import { typeOf, typesOf } from "../expression.ts";
import { type FieldName, fieldOf, type PayloadField } from "../field.ts";
import type { NftDevice, Statement } from "../statement.ts";
import type { NftFamily } from "../transaction.ts";
import { compareOperators, payloadBases, registers } from "./attributes.ts";
import { loadExpression, loadKey, register } from "./expression.ts";
import type { ExpressionWriter } from "./expression-writer.ts";

/** Writes one statement as expressions of the kernel. Each begins with all registers free. */
export function writeStatement(writer: ExpressionWriter, family: NftFamily, statement: Statement): void {
  switch (statement.kind) {
    case "match":
      loadExpression(writer, statement.left, 0);
      writeMatch(writer, statement);
      break;
    case "lookup": {
      loadKey(writer, statement.key, 0);
      // NFT_LOOKUP_F_INV
      const flags = statement.operator === "in" ? undefined : 1;
      writer.add(
        "lookup",
        [
          [2, register(0)],
          [5, flags],
        ],
        { texts: [[1, statement.set.name]] },
      );
      break;
    }
    case "vmap":
      loadKey(writer, statement.key, 0);
      writer.add(
        "lookup",
        [
          [2, register(0)],
          [3, registers.verdict],
        ],
        { texts: [[1, statement.map.name]] },
      );
      break;
    case "set":
      loadExpression(writer, statement.to, 0);
      writeField(writer, statement.field);
      break;
    case "dnat":
      writeDnat(writer, family, statement);
      break;
    case "masquerade":
      // NF_NAT_RANGE_PROTO_RANDOM_FULLY
      writer.add("masq", [[1, statement.fullyRandom ? 0x10 : undefined]]);
      break;
    case "reject":
      writeReject(writer, family, statement.with);
      break;
    case "notrack":
    case "counter":
      writer.add(statement.kind, []);
      break;
    case "update":
      writeUpdate(writer, statement);
      break;
    case "fwd":
      loadDevice(writer, statement.device, 0);
      writer.add("fwd", [[1, register(0)]]);
      break;
    case "dup":
      writeDup(writer, statement);
      break;
    case "verdict":
      writer.add("immediate", [[1, registers.verdict]], { values: [[2, statement.verdict]] });
  }
}

type Of<Kind extends Statement["kind"]> = Extract<Statement, { readonly kind: Kind }>;

function writeMatch(writer: ExpressionWriter, { left, operator, right }: Of<"match">): void {
  if (operator !== "any") {
    writer.add(
      "cmp",
      [
        [1, register(0)],
        [2, compareOperators[operator]],
      ],
      { values: [[3, right]] },
    );
    return;
  }
  const type = typeOf(left);
  const { length } = dataTypes[type];
  const none = numberData(type, 0);
  const numbers = [[1, register(0)] as const, [2, register(0)] as const, [3, length] as const];
  writer.add("bitwise", numbers, {
    values: [
      [4, right],
      [5, none],
    ],
  });
  writer.add(
    "cmp",
    [
      [1, register(0)],
      [2, compareOperators["!="]],
    ],
    { values: [[3, none]] },
  );
}

/** Writes what is in register 0 into a field. */
function writeField(writer: ExpressionWriter, name: FieldName): void {
  const field = fieldOf(name);
  switch (field.from) {
    case "payload":
      writer.add("payload", [
        [5, register(0)],
        [2, payloadBases[field.base]],
        [3, field.offset],
        [4, dataTypes[field.type].length],
        ...checksumOf(name, field),
      ]);
      break;
    case "meta":
      writer.add("meta", [
        [2, field.key],
        [3, register(0)],
      ]);
      break;
    case "ct": {
      const bytes = field.direction === undefined ? {} : { bytes: [[3, field.direction]] as const };
      writer.add(
        "ct",
        [
          [2, field.key],
          [4, register(0)],
        ],
        bytes,
      );
    }
  }
}

/** NFTA_PAYLOAD_CSUM_TYPE (0 none, 1 Internet), _OFFSET and _FLAGS (1: correct the checksum of TCP, UDP or ICMPv6 behind it). */
function checksumOf(name: FieldName, { protocol }: PayloadField): readonly (readonly [number, number])[] {
  const pseudoHeader = [8, 1] as const;
  switch (protocol) {
    case "ip":
      return [[6, 1], [7, 10], pseudoHeader];
    case "ip6":
      return [[6, 0], [7, 0], pseudoHeader];
    case "tcp":
      return [
        [6, 1],
        [7, 16],
      ];
    case "udp":
      // A datagram without a checksum keeps none: the kernel corrects what is there. nft 1.0.6 writes type 1, offset 6, which gives it
      // a wrong one, and the receiver drops it.
      return [[6, 0], [7, 0], pseudoHeader];
    case "ether":
      return [
        [6, 0],
        [7, 0],
      ];
    default:
      throw new TypeError(`${name} cannot be set`);
  }
}

function writeDnat(writer: ExpressionWriter, family: NftFamily, { to, port }: Of<"dnat">): void {
  const types = typesOf(to);
  loadExpression(writer, to, 0);
  const behind = registersOf(lengthOf(types.slice(0, 1)));
  if (port !== undefined) loadExpression(writer, port, behind);
  const hasPort = port !== undefined || types.length > 1;
  // NFT_NAT_DNAT
  writer.add("nat", [
    [1, 1],
    [2, netfilterFamilies[family]],
    [3, register(0)],
    [5, hasPort ? register(behind) : undefined],
  ]);
}

function writeReject(writer: ExpressionWriter, family: NftFamily, how: "tcp reset" | "port-unreachable"): void {
  // NFT_REJECT_TCP_RST, NFT_REJECT_ICMP_UNREACH; the codes are of RFC 792 and RFC 4443.
  if (how === "tcp reset") writer.add("reject", [[1, 1]], { bytes: [[2, 0]] });
  else writer.add("reject", [[1, 0]], { bytes: [[2, family === "ip6" ? 4 : 3]] });
}

function writeUpdate(writer: ExpressionWriter, { set, key, data, timeoutMs }: Of<"update">): void {
  const behind = loadKey(writer, key, 0);
  if (data !== undefined) loadKey(writer, data, behind);
  // NFT_DYNSET_OP_UPDATE
  const numbers = [
    [3, 1],
    [4, register(0)],
    [5, data === undefined ? undefined : register(behind)],
  ] as const;
  writer.add("dynset", numbers, {
    texts: [[1, set.name]],
    ...(timeoutMs === undefined ? {} : { times: [[6, timeoutMs]] }),
  });
}

function writeDup(writer: ExpressionWriter, { device, to }: Of<"dup">): void {
  if (to === undefined) {
    loadDevice(writer, device, 0);
    writer.add("dup", [[2, register(0)]]);
    return;
  }
  loadExpression(writer, to, 0);
  const behind = registersOf(lengthOf(typesOf(to)));
  loadDevice(writer, device, behind);
  writer.add("dup", [
    [1, register(0)],
    [2, register(behind)],
  ]);
}

function loadDevice(writer: ExpressionWriter, { index }: NftDevice, at: number): void {
  writer.add("immediate", [[1, register(at)]], { values: [[2, numberData("mark", index)]] });
}
