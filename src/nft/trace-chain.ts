import { formatAddress, type IpAddress } from "../ip/address.ts";
import { type Data, dataAddress, dataNumber, splitData } from "./data.ts";
import { withDependencies } from "./dependencies.ts";
import { type EvaluationContext, evaluate, evaluateKey, findElement } from "./evaluate.ts";
import { type Expression, typeOf, typesOf } from "./expression.ts";
import type { FakeTable } from "./fake-nft.ts";
import type { FieldName } from "./field.ts";
import type { NftElement, NftSet } from "./set.ts";
import type { MatchOperator, Statement } from "./statement.ts";
import { hopLimitOf, type TracedConnection, type TracedPacket } from "./traced-packet.ts";
import type { Verdict } from "./verdict.ts";

export type Refusal = "reset" | "unreachable";

/** Where a packet was taken off its way. */
export interface TraceStop {
  readonly end: "dropped" | "refused" | "sent";
  /** The chain that did it. */
  readonly chain: string;
  /** How the sender learns of a refusal. */
  readonly refusal?: Refusal;
  /** The device that a frame was sent out of. */
  readonly device?: string;
}

/** A copy of the packet, by `dup`. */
export interface TracedCopy {
  readonly device: string;
  /** The next hop; undefined in tables of netdev. */
  readonly to?: IpAddress;
  readonly packet: TracedPacket;
}

/** An element that the packet has put into a dynamic set, or has deleted from it. */
export interface TracedUpdate {
  readonly set: NftSet;
  readonly element: NftElement;
}

/** A packet that is being traced. Chains change it in place. */
export interface Walk {
  packet: TracedPacket;
  connection: TracedConnection;
  masqueraded: boolean;
  /** Whether its connection is tracked, without which there is no nat. */
  tracked: boolean;
  stopped: TraceStop | undefined;
  readonly copies: TracedCopy[];
  readonly updates: TracedUpdate[];
  readonly deletions: TracedUpdate[];
  readonly random: () => number;
}

/** `accept` ends the base chain, `return` the chain; `translated` is an accept by nat. */
export type ChainResult = "continue" | "return" | "accept" | "translated";

/** Walks a packet through a chain and those that it leads to. */
export function traceChain(table: FakeTable, name: string, walk: Walk): ChainResult {
  const chain = table.chains.get(name);
  if (chain === undefined) throw new TypeError(`no chain ${name}`);
  for (const rule of chain.rules) {
    const result = traceRule(table, name, withDependencies(table.family, rule), walk);
    if (result !== "continue") return result;
  }
  return "continue";
}

function traceRule(table: FakeTable, chain: string, rule: readonly Statement[], walk: Walk): ChainResult {
  for (const statement of rule) {
    const result = traceStatement(table, chain, statement, walk);
    if (result === "no match") return "continue";
    if (result !== "continue") return result;
  }
  return "continue";
}

function traceStatement(table: FakeTable, chain: string, statement: Statement, walk: Walk): ChainResult | "no match" {
  const context: EvaluationContext = { table, ...walk };
  switch (statement.kind) {
    case "match": {
      const value = evaluate(statement.left, context);
      return value !== undefined && compare(statement.left, value, statement.operator, statement.right)
        ? "continue"
        : "no match";
    }
    case "lookup": {
      if (evaluateKey(statement.key, context) === undefined) return "no match";
      const found = findElement(statement.set, statement.key, context) !== undefined;
      return found === (statement.operator === "in") ? "continue" : "no match";
    }
    case "vmap": {
      const found = findElement(statement.map, statement.key, context)?.data;
      return typeof found === "object" ? follow(table, chain, found, walk) : "no match";
    }
    case "set": {
      const value = evaluate(statement.to, context);
      if (value === undefined) return "no match";
      overwrite(walk, statement.field, value);
      return "continue";
    }
    case "dnat":
      return translate(statement.to, statement.port, context, walk);
    case "masquerade":
      walk.masqueraded = true;
      return "translated";
    case "reject":
      walk.stopped = { end: "refused", chain, refusal: statement.with === "tcp reset" ? "reset" : "unreachable" };
      return "accept";
    case "notrack":
      walk.tracked = false;
      return "continue";
    case "counter":
      return "continue";
    case "update": {
      const key = evaluateKey(statement.key, context);
      const data = statement.data === undefined ? undefined : evaluateKey(statement.data, context);
      if (key === undefined) return "no match";
      walk.updates.push({ set: statement.set, element: data === undefined ? { key } : { key, data } });
      return "continue";
    }
    case "delete": {
      const key = evaluateKey(statement.key, context);
      if (key === undefined) return "no match";
      walk.deletions.push({ set: statement.set, element: { key } });
      return "continue";
    }
    case "fwd":
      walk.stopped = { end: "sent", chain, device: statement.device.name };
      return "accept";
    case "dup": {
      const to = statement.to === undefined ? undefined : evaluate(statement.to, context);
      walk.copies.push(copyOf(walk.packet, statement.device.name, to === undefined ? undefined : dataAddress(to)));
      return "continue";
    }
    case "verdict":
      return follow(table, chain, statement.verdict, walk);
  }
}

/** The kernel counts a copy to a next hop as forwarded (net/ipv4/netfilter/nf_dup_ipv4.c), at prerouting and input, where ours are made. */
function copyOf(packet: TracedPacket, device: string, to: IpAddress | undefined): TracedCopy {
  return to === undefined
    ? { device, packet }
    : { device, to, packet: { ...packet, hopLimit: hopLimitOf(packet) - 1 } };
}

function compare(left: Expression, value: Data, operator: MatchOperator, right: Data): boolean {
  switch (operator) {
    case "==":
      return value === right;
    case "!=":
      return value !== right;
    case "<=":
      return value <= right;
    case ">":
      return value > right;
    case "any": {
      const type = typeOf(left);
      return (dataNumber(type, value) & dataNumber(type, right)) !== 0;
    }
  }
}

function follow(table: FakeTable, chain: string, verdict: Verdict, walk: Walk): ChainResult {
  switch (verdict.kind) {
    case "drop":
      walk.stopped = { end: "dropped", chain };
      return "accept";
    case "jump":
    case "goto": {
      const result = traceChain(table, verdict.chain, walk);
      if (result === "accept" || result === "translated") return result;
      // What comes back from a goto continues behind the last jump.
      return verdict.kind === "jump" ? "continue" : "return";
    }
    default:
      return verdict.kind;
  }
}

function translate(
  to: Expression,
  port: Expression | undefined,
  context: EvaluationContext,
  walk: Walk,
): ChainResult | "no match" {
  const target = evaluate(to, context);
  if (target === undefined) return "no match";
  const [address = "", mapped] = splitData(typesOf(to), target);
  const number = port === undefined ? mapped : evaluate(port, context);
  overwrite(walk, address.length === 4 ? "ip daddr" : "ip6 daddr", address);
  if (number !== undefined) overwrite(walk, "th dport", number);
  walk.connection = { ...walk.connection, translated: true };
  return "translated";
}

function overwrite(walk: Walk, name: FieldName, data: Data): void {
  const { packet, connection } = walk;
  const number = () => dataNumber(typeOf({ kind: "field", name }), data);
  switch (name) {
    case "ip saddr":
    case "ip6 saddr":
      walk.packet = { ...packet, saddr: formatAddress(dataAddress(data)) };
      break;
    case "ip daddr":
    case "ip6 daddr":
      walk.packet = { ...packet, daddr: formatAddress(dataAddress(data)) };
      break;
    case "tcp sport":
    case "udp sport":
    case "th sport":
      walk.packet = { ...packet, sport: number() };
      break;
    case "tcp dport":
    case "udp dport":
    case "th dport":
      walk.packet = { ...packet, dport: number() };
      break;
    case "ether saddr":
    case "ether daddr":
      if (packet.ether === undefined) return;
      walk.packet = { ...packet, ether: { ...packet.ether, [name === "ether saddr" ? "saddr" : "daddr"]: data } };
      break;
    case "ip ttl":
    case "ip6 hoplimit":
      walk.packet = { ...packet, hopLimit: number() };
      break;
    case "meta priority":
      walk.packet = { ...packet, priority: number() };
      break;
    case "meta mark":
      walk.packet = { ...packet, mark: number() };
      break;
    case "ct mark":
      walk.connection = { ...connection, mark: number() };
      break;
    case "ct zone":
    case "ct original zone":
      walk.connection = { ...connection, zone: number() };
      break;
    default:
      throw new TypeError(`${name} cannot be set`);
  }
}
