import fc from "fast-check";
import { parseAddress } from "../../../../src/ip/address.ts";
import {
  addressData,
  concatenate,
  type Data,
  interfaceData,
  numberData,
  portData,
  protocolData,
} from "../../../../src/nft/data.ts";
import { type DataType, dataTypes } from "../../../../src/nft/data-type.ts";
import { constant, type Expression, field, typeOf } from "../../../../src/nft/expression.ts";
import { type FieldName, fieldOf } from "../../../../src/nft/field.ts";
import type { NftElement, NftSet } from "../../../../src/nft/set.ts";
import type { NftRule, Statement } from "../../../../src/nft/statement.ts";
import type { TracedPacket } from "../../../../src/nft/traced-packet.ts";
import type { NftAction, NftCommand, NftIpFamily } from "../../../../src/nft/transaction.ts";
import type { Verdict } from "../../../../src/nft/verdict.ts";

/** Few values of each type, so that packets match often. */
const texts = {
  ip: ["192.0.2.99", "192.0.2.200", "10.244.1.2", "10.0.0.1"],
  ip6: ["2001:db8::99", "2001:db8::200", "fd01::2", "fd00::1"],
} as const;
const ports = [53, 80, 8080, 40_000] as const;
const hopLimits = [5, 8, 9, 64] as const;
const marks = [0, 1, 0x10, 0x4010] as const;
const interfaces = ["eth0", "eth1"] as const;

function valuesOf(type: DataType): readonly Data[] {
  switch (type) {
    case "ipv4_addr":
    case "ipv6_addr":
      return texts[type === "ipv4_addr" ? "ip" : "ip6"].flatMap((text) => {
        const address = parseAddress(text);
        return address === undefined ? [] : [addressData(address)];
      });
    case "inet_service":
      return ports.map(portData);
    case "hop_limit":
      return hopLimits.map((value) => numberData(type, value));
    case "inet_proto":
      return [protocolData("tcp"), protocolData("udp")];
    case "ifname":
      return interfaces.map(interfaceData);
    case "ct_state":
      return [2, 8].map((value) => numberData(type, value));
    case "ct_dir":
      return [0, 1].map((value) => numberData(type, value));
    case "tcp_flag":
      return [2, 16].map((value) => numberData(type, value));
    default:
      return marks.map((value) => numberData(type, value));
  }
}

/** What a rule of one family and protocol reads and writes. */
interface Fields {
  readonly family: NftIpFamily;
  readonly protocol: "tcp" | "udp";
  readonly readable: readonly FieldName[];
  readonly writable: readonly FieldName[];
}

function fieldsOf(family: NftIpFamily, protocol: "tcp" | "udp"): Fields {
  const headers = [`${family} saddr`, `${family} daddr`, `${protocol} sport`, `${protocol} dport`] as const;
  const flags: readonly FieldName[] = protocol === "tcp" ? ["tcp flags"] : [];
  const hopLimit = family === "ip" ? "ip ttl" : "ip6 hoplimit";
  const original = `ct original ${family} daddr` as const;
  return {
    family,
    protocol,
    readable: [
      ...headers,
      ...flags,
      hopLimit,
      "th sport",
      "th dport",
      "meta l4proto",
      "meta mark",
      "iifname",
      "ct state",
      "ct direction",
      "ct mark",
      original,
    ],
    writable: [...headers, hopLimit, "meta mark", "ct mark"],
  };
}

/** A statement that does not exist before its set has a name. */
type Draft = (name: string) => {
  readonly statement: Statement;
  readonly set?: NftSet;
  readonly elements?: readonly NftElement[];
};

function pick<Value>(values: readonly Value[]): fc.Arbitrary<Value> {
  return fc.constantFrom(...values);
}

function someValue(type: DataType): fc.Arbitrary<Data> {
  return pick(valuesOf(type));
}

function someKey(readable: readonly FieldName[], protocolField: FieldName): fc.Arbitrary<readonly FieldName[]> {
  // nft(8) refuses a protocol in a key behind a match of the protocol that leaves nothing to look up.
  return fc.subarray(
    [...readable].filter((name) => name !== protocolField && typeOf(field(name)) !== "hop_limit"),
    { minLength: 1, maxLength: 3 },
  );
}

interface SetDraft {
  readonly key: readonly Expression[];
  readonly declare: (name: string) => NftSet;
  readonly elements: readonly NftElement[];
}

function someSet(
  names: readonly FieldName[],
  data: fc.Arbitrary<NftElement["data"]> | undefined,
  dataType: NftSet["data"],
): fc.Arbitrary<SetDraft> {
  const key = names.map(field);
  const types = key.map(typeOf);
  const someElementKey = fc.tuple(...types.map(someValue)).map(concatenate);
  // nft 1.0.6 refuses ranges of a map whose verdict leads to a chain of the same file.
  const ranged = dataType !== "verdict" && types.every((type) => rangeTypes.includes(type));
  return fc
    .record({
      keys: fc.uniqueArray(someElementKey, { maxLength: 5 }),
      ends: someElementKey,
      interval: ranged ? fc.boolean() : fc.constant(false),
      data: data === undefined ? fc.constant([]) : fc.array(data, { minLength: 5, maxLength: 5 }),
    })
    .map(({ keys, ends, interval, data: values }) => {
      const range = interval ? rangeOf(types, keys[0] ?? ends, ends) : undefined;
      const elements: readonly NftElement[] = range === undefined ? keys.map((one) => ({ key: one })) : [range];
      return {
        key,
        declare: (name): NftSet => ({
          name,
          key: types,
          ...(dataType === undefined ? {} : { data: dataType }),
          ...(interval ? { interval: true } : {}),
        }),
        elements: elements.map((element, index) => {
          const value = values[index];
          return value === undefined ? element : { ...element, data: value };
        }),
      };
    });
}

/** Types of which nft(8) takes ranges, and protocols, which stay single. */
const rangeTypes: readonly DataType[] = ["ipv4_addr", "ipv6_addr", "inet_service", "inet_proto"];

/** From the smaller to the larger value of each part; protocols are no ranges in nft's language. Only one range, because ranges must not overlap. */
function rangeOf(types: readonly DataType[], one: Data, other: Data): NftElement {
  const parts = (data: Data) => {
    let start = 0;
    return types.map((type) => {
      const part = data.slice(start, start + dataTypes[type].length);
      start += Math.ceil(dataTypes[type].length / 4) * 4;
      return part;
    });
  };
  const pairs = parts(one).map((part, index) =>
    [part, types[index] === "inet_proto" ? part : (parts(other)[index] ?? part)].sort(),
  );
  return { key: concatenate(pairs.map(([low = ""]) => low)), keyEnd: concatenate(pairs.map(([, high = ""]) => high)) };
}

function someMatch({ readable }: Fields): fc.Arbitrary<Draft> {
  // A match of another protocol than that of the rule's ports is a mistake.
  return pick(readable.filter((name) => name !== "meta l4proto")).chain((name) => {
    const type = typeOf(field(name));
    const operators = type === "hop_limit" ? (["==", "!=", "<=", ">"] as const) : (["==", "!="] as const);
    const plain = fc.record({ operator: pick(operators), right: someValue(type) }).map(
      ({ operator, right }): Draft =>
        () => ({ statement: { kind: "match", left: field(name), operator, right } }),
    );
    if (type !== "mark") return plain;
    const bits = fc.record({
      operator: pick(["==", "!="] as const),
      mask: pick([1, 0x10, 0x4011]),
      value: pick(marks),
    });
    const masked = bits.map(
      ({ operator, mask, value }): Draft =>
        () => {
          const left: Expression = { kind: "bitwise", of: field(name), operator: "&", bits: mask };
          return { statement: { kind: "match", left, operator, right: numberData(type, value & mask) } };
        },
    );
    const any = pick([1, 0x4010]).map(
      (value): Draft =>
        () => ({
          statement: { kind: "match", left: field(name), operator: "any", right: numberData(type, value) },
        }),
    );
    return fc.oneof(plain, masked, any);
  });
}

function someLookup({ readable }: Fields): fc.Arbitrary<Draft> {
  return someKey(readable, "ct state").chain((names) =>
    fc.record({ draft: someSet(names, undefined, undefined), operator: pick(["in", "not in"] as const) }).map(
      ({ draft, operator }): Draft =>
        (name) => {
          const set = draft.declare(name);
          return { statement: { kind: "lookup", key: draft.key, operator, set }, set, elements: draft.elements };
        },
    ),
  );
}

function someWrite({ readable, writable }: Fields): fc.Arbitrary<Draft> {
  return pick(writable).chain((name) => {
    const type = typeOf(field(name));
    const fixed = someValue(type).map(
      (data): Draft =>
        () => ({
          statement: { kind: "set", field: name, to: constant(type, data) },
        }),
    );
    const mapped = someKey(readable, "ct state").chain((names) =>
      someSet(names, someValue(type), [type]).map(
        (draft): Draft =>
          (setName) => {
            const map = draft.declare(setName);
            return {
              statement: { kind: "set", field: name, to: { kind: "map", key: draft.key, map } },
              set: map,
              elements: draft.elements,
            };
          },
      ),
    );
    // nft(8) has no name for its type, so it is no data of a map.
    if (type === "hop_limit") return fixed;
    if (type !== "mark") return fc.oneof(fixed, mapped);
    const changed = fc
      .record({
        operator: pick(["&", "|"] as const),
        bits: pick([1, 0x4010, 0xffff_ffef]),
        from: pick(["meta mark", "ct mark"] as const),
      })
      .map(
        ({ operator, bits, from }): Draft =>
          () => ({
            statement: { kind: "set", field: name, to: { kind: "bitwise", of: field(from), operator, bits } },
          }),
      );
    return fc.oneof(fixed, mapped, changed);
  });
}

const verdicts: readonly Verdict[] = [
  { kind: "accept" },
  { kind: "drop" },
  { kind: "return" },
  { kind: "jump", chain: "second" },
  { kind: "goto", chain: "second" },
];
/** Of the second chain, which leads to no other. */
const ends: readonly Verdict[] = [{ kind: "accept" }, { kind: "drop" }, { kind: "return" }];

function someEnd(fields: Fields, type: "filter" | "nat", allowed: readonly Verdict[]): fc.Arbitrary<Draft> {
  const verdict = pick(allowed).map(
    (to): Draft =>
      () => ({ statement: { kind: "verdict", verdict: to } }),
  );
  const vmap = someKey(fields.readable, "ct state").chain((names) =>
    someSet(names, pick(allowed), "verdict").map(
      (draft): Draft =>
        (name) => {
          const map = draft.declare(name);
          return { statement: { kind: "vmap", key: draft.key, map }, set: map, elements: draft.elements };
        },
    ),
  );
  if (type === "filter") {
    const reject = pick(["tcp reset", "port-unreachable"] as const).map(
      (how): Draft =>
        () => ({
          statement: { kind: "reject", with: how },
        }),
    );
    return fields.readable.includes("tcp flags") ? fc.oneof(verdict, vmap, reject) : fc.oneof(verdict, vmap);
  }
  const address = fields.family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const dnat = someValue(address).map(
    (data): Draft =>
      () => ({
        statement: { kind: "dnat", to: constant(address, data) },
      }),
  );
  return fc.oneof(verdict, vmap, dnat, somePickedEndpoint(fields));
}

/** As our own rules pick an endpoint of a port: by chance, or by a hash. */
function somePickedEndpoint({ family, protocol }: Fields): fc.Arbitrary<Draft> {
  const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const service = [`${family} daddr`, `${protocol} dport`] as const;
  const endpoint = fc.tuple(someValue(type), someValue("inet_service")).map(concatenate);
  const modulus = 3;
  const index = fc.oneof(
    fc.constant<Expression>({ kind: "numgen", modulus }),
    fc
      .record({ of: pick([[`${family} saddr`], [`${family} saddr`, "th sport"]] as const), seed: fc.nat() })
      .map(({ of, seed }): Expression => ({ kind: "jhash", of: of.map(field), modulus, seed })),
  );
  return fc
    .record({
      index,
      address: someValue(type),
      port: someValue("inet_service"),
      endpoints: fc.tuple(endpoint, endpoint, endpoint),
    })
    .map(
      ({ index, address, port, endpoints }): Draft =>
        (name) => {
          const map: NftSet = {
            name,
            key: [type, "inet_service", "integer"],
            data: [type, "inet_service"],
            typeof: { key: [...service, "numgen random mod 2"], data: service },
          };
          const elements = endpoints.map((data, number) => ({
            key: concatenate([address, port, numberData("integer", number)]),
            data,
          }));
          const key = [...service.map(field), index];
          return { statement: { kind: "dnat", to: { kind: "map", key, map } }, set: map, elements };
        },
    );
}

function someRule(
  family: NftIpFamily,
  type: "filter" | "nat",
  allowed: readonly Verdict[],
): fc.Arbitrary<readonly Draft[]> {
  return pick(["tcp", "udp"] as const).chain((protocol) => {
    const fields = fieldsOf(family, protocol);
    const step =
      type === "filter"
        ? fc.oneof(someMatch(fields), someLookup(fields), someWrite(fields))
        : fc.oneof(someMatch(fields), someLookup(fields));
    return fc
      .record({ steps: fc.array(step, { maxLength: 3 }), end: fc.option(someEnd(fields, type, allowed)) })
      .map(({ steps, end }) => (end === null ? steps : [...steps, end]));
  });
}

const counter: Statement = { kind: "counter" };

/**
 * Whether it compares a field of a header. A rule has at most one of these: nft(8) makes one comparison of two, also of `udp dport != 53
 * th sport != 80`, which then says something else.
 */
function readsHeader(statement: Statement): boolean {
  if (statement.kind !== "match" || statement.left.kind !== "field") return false;
  return fieldOf(statement.left.name).from === "payload";
}

/** A table with a base chain `first` after connection tracking, a chain `second`, and the sets of their rules. */
export function someTable(family: NftIpFamily): fc.Arbitrary<readonly NftCommand[]> {
  return pick(["filter", "nat"] as const).chain((type) =>
    fc
      .record({
        first: fc.array(someRule(family, type, verdicts), { minLength: 1, maxLength: 4 }),
        second: fc.array(someRule(family, type, ends), { maxLength: 2 }),
      })
      .map(({ first, second }) => {
        const sets: NftAction[] = [];
        const elements: NftAction[] = [];
        const finish = (drafts: readonly Draft[]): NftRule => {
          let headers = 0;
          return drafts.flatMap((draft) => {
            const made = draft(`s${sets.length}`);
            if (readsHeader(made.statement)) headers += 1;
            if (readsHeader(made.statement) && headers > 1) return [];
            if (made.set !== undefined) {
              sets.push({ kind: "addSet", set: made.set });
              elements.push({ kind: "addElements", set: made.set, elements: made.elements ?? [] });
            }
            return [counter, made.statement];
          });
        };
        const rules = (chain: string, drafts: readonly (readonly Draft[])[]) =>
          drafts.map((one): NftAction => ({ kind: "addRule", chain, rule: finish(one) }));
        const all = [...rules("second", second), ...rules("first", first)];
        const base = { type, hook: "prerouting", priority: type === "nat" ? -110 : -150 } as const;
        const table = { family, name: "generated" };
        const actions: readonly NftAction[] = [
          { kind: "addTable" },
          ...sets,
          { kind: "addChain", chain: "first", base },
          { kind: "addChain", chain: "second" },
          ...elements,
          ...all.filter((action) => action.kind !== "addRule" || action.rule.length > 0),
        ];
        return actions.map((action) => ({ table, ...action }));
      }),
  );
}

export function somePacket(family: NftIpFamily): fc.Arbitrary<TracedPacket> {
  return fc.record({
    iifname: pick(interfaces),
    saddr: pick(texts[family]),
    daddr: pick(texts[family]),
    l4proto: pick(["tcp", "udp"]),
    sport: pick(ports),
    dport: pick(ports),
    mark: pick(marks),
    syn: fc.boolean(),
    hopLimit: pick(hopLimits),
  });
}
