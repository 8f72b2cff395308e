import fc from "fast-check";
import { concatenate, numberData } from "../../../../src/nft/data.ts";
import { constant, type Expression, field, typeOf } from "../../../../src/nft/expression.ts";
import type { FieldName } from "../../../../src/nft/field.ts";
import type { NftElement, NftSet } from "../../../../src/nft/set.ts";
import type { Statement } from "../../../../src/nft/statement.ts";
import type { NftIpFamily } from "../../../../src/nft/transaction.ts";
import type { Verdict } from "../../../../src/nft/verdict.ts";
import { someKey, someSet } from "./generated-sets.ts";
import { marks, pick, someValue } from "./generated-values.ts";

/** What a rule of one family and protocol reads and writes. */
interface Fields {
  readonly family: NftIpFamily;
  readonly protocol: "tcp" | "udp";
  readonly readable: readonly FieldName[];
  readonly writable: readonly FieldName[];
}

export function fieldsOf(family: NftIpFamily, protocol: "tcp" | "udp"): Fields {
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
export type Draft = (name: string) => {
  readonly statement: Statement;
  readonly set?: NftSet;
  readonly elements?: readonly NftElement[];
};

export function someMatch({ readable }: Fields): fc.Arbitrary<Draft> {
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

export function someLookup({ readable }: Fields): fc.Arbitrary<Draft> {
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

export function someWrite({ readable, writable }: Fields): fc.Arbitrary<Draft> {
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

export function someEnd(fields: Fields, type: "filter" | "nat", allowed: readonly Verdict[]): fc.Arbitrary<Draft> {
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
