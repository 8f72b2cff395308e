import { type Data, etherTypes, interfaceTypes, numberData, protocolData } from "./data.ts";
import { type Expression, field, typeOf } from "./expression.ts";
import { type FieldName, fieldOf, type HeaderProtocol } from "./field.ts";
import type { NftRule, Statement } from "./statement.ts";
import type { NftFamily } from "./transaction.ts";

/** A field, and the value that it must have before the fields of a header may be read. */
interface Dependency {
  readonly name: FieldName;
  readonly data: Data;
}

/**
 * The rule with the matches that its fields need and that it does not have itself, as nft(8) adds them (src/payload.c,
 * payload_gen_dependency): a TCP port is read from TCP packets only. Each comes before the first statement that needs it, and that of a TCP reset
 * before all. What the kernel is sent and what the tracer walks.
 */
export function withDependencies(family: NftFamily, rule: NftRule): NftRule {
  const matched = new Map<FieldName, Data>();
  const complete: Statement[] = [];
  for (const statement of rule) {
    for (const protocol of protocolsOf(statement)) {
      for (const { name, data } of dependenciesOf(family, protocol)) {
        const present = matched.get(name);
        if (present === data) continue;
        if (present !== undefined) throw new TypeError(`a rule cannot match ${protocol} and another protocol`);
        matched.set(name, data);
        const match: Statement = { kind: "match", left: field(name), operator: "==", right: data };
        if (statement.kind === "reject") complete.unshift(match);
        else complete.push(match);
      }
    }
    if (statement.kind === "match" && statement.operator === "==" && statement.left.kind === "field") {
      matched.set(statement.left.name, statement.right);
    }
    complete.push(statement);
  }
  return complete;
}

function dependenciesOf(family: NftFamily, protocol: HeaderProtocol): readonly Dependency[] {
  switch (protocol) {
    case "tcp":
    case "udp":
    case "icmp":
    case "icmpv6":
      return [{ name: "meta l4proto", data: protocolData(protocol) }];
    case "ether":
      // Packets of other interfaces have no such header.
      return [numberDependency("meta iiftype", interfaceTypes.ether)];
    case "ip":
    case "ip6":
      return family === "netdev" ? [numberDependency("meta protocol", etherTypes[protocol])] : [];
    case "th":
      return [];
  }
}

function numberDependency(name: FieldName, value: number): Dependency {
  return { name, data: numberData(typeOf(field(name)), value) };
}

/** The headers that a statement reads or writes, in order. */
function protocolsOf(statement: Statement): readonly HeaderProtocol[] {
  const names = fieldsOf(expressionsOf(statement));
  if (statement.kind === "set" && !statement.field.startsWith("ether ")) names.push(statement.field);
  const protocols = names.flatMap((name) => {
    const found = fieldOf(name);
    return found.from === "payload" ? [found.protocol] : [];
  });
  if (statement.kind === "reject" && statement.with === "tcp reset") protocols.push("tcp");
  return protocols;
}

/** What a statement computes. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "match":
      return [statement.left];
    case "lookup":
    case "vmap":
      return statement.key;
    case "set":
      return [statement.to];
    case "dnat":
      return statement.port === undefined ? [statement.to] : [statement.to, statement.port];
    case "update":
    case "delete":
      return [...statement.key, ...(statement.data ?? [])];
    case "dup":
      return statement.to === undefined ? [] : [statement.to];
    default:
      return [];
  }
}

function fieldsOf(expressions: readonly Expression[]): FieldName[] {
  return expressions.flatMap((expression): readonly FieldName[] => {
    switch (expression.kind) {
      case "field":
        return [expression.name];
      case "bitwise":
        return fieldsOf([expression.of]);
      case "jhash":
        return fieldsOf(expression.of);
      case "map":
        return fieldsOf(expression.key);
      default:
        return [];
    }
  });
}
