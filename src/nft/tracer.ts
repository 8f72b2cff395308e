import { parseAddress } from "../ip/address.ts";
import { parseRange, rangeContains } from "../ip/range.ts";
import type { FakeChain, FakeTable } from "./fake-nft.ts";
import {
  type ExpressionContext,
  RuleReader,
  readExpression,
  type TracedConnection,
  type TracedPacket,
} from "./rule.ts";

/** Where a packet ended, and as what. */
export interface TraceOutcome {
  readonly end: "local" | "forwarded" | "dropped" | "refused";
  /** How the sender learns of a refusal. */
  readonly refusal?: Refusal;
  /** The chain that dropped or refused it. */
  readonly chain?: string;
  readonly packet: TracedPacket;
  readonly connection: TracedConnection;
  readonly masqueraded: boolean;
}

export type Refusal = "reset" | "unreachable";

export interface TraceOptions {
  /** Addresses of the node itself. */
  readonly local: readonly string[];
  readonly random?: () => number;
}

type Hook = "prerouting" | "input" | "forward" | "postrouting";

interface Trace {
  packet: TracedPacket;
  connection: TracedConnection;
  masqueraded: boolean;
  stopped: { readonly chain: string; readonly refusal: Refusal | undefined } | undefined;
}

/** Priorities of the kernel's own steps (linux/netfilter_ipv4.h). All nat chains run within the nat step of their hook. */
const trackingPriority = -200;
const natPriority = { prerouting: -100, postrouting: 100 } as const;

/**
 * Walks the first packet of a connection through the rules of the given tables, which are of one family, and says where it
 * ends. Understands the part of nft's language that Bellhop writes and throws for the rest. Knows no routes: what is not for the
 * node is forwarded.
 */
export function tracePacket(tables: readonly FakeTable[], packet: TracedPacket, options: TraceOptions): TraceOutcome {
  const untracked: TracedConnection = { original: packet, mark: 0, translated: false, direction: "original" };
  const trace: Trace = { packet, connection: untracked, masqueraded: false, stopped: undefined };
  runHook(tables, "prerouting", trace, options);
  const local = options.local.includes(trace.packet.daddr);
  runHook(tables, local ? "input" : "forward", trace, options);
  if (!local) runHook(tables, "postrouting", trace, options);
  return finish(trace, local ? "local" : "forwarded");
}

/** Walks the answer to a packet that arrived, from its receiver back towards the client. */
export function traceReply(tables: readonly FakeTable[], request: TraceOutcome): TraceOutcome {
  const { original } = request.connection;
  const packet: TracedPacket = {
    ...original,
    saddr: original.daddr,
    sport: original.dport,
    daddr: original.saddr,
    dport: original.sport,
    mark: 0,
    syn: false,
  };
  const connection: TracedConnection = { ...request.connection, direction: "reply" };
  const trace: Trace = { packet, connection, masqueraded: false, stopped: undefined };
  runHook(tables, "postrouting", trace, { local: [] });
  return finish(trace, "forwarded");
}

function finish(trace: Trace, end: "local" | "forwarded"): TraceOutcome {
  const { packet, connection, masqueraded, stopped } = trace;
  const passed = { packet, connection, masqueraded };
  if (stopped === undefined) return { end, ...passed };
  const { chain, refusal } = stopped;
  return refusal === undefined ? { end: "dropped", chain, ...passed } : { end: "refused", refusal, chain, ...passed };
}

function runHook(tables: readonly FakeTable[], hook: Hook, trace: Trace, options: TraceOptions): void {
  const steps: { readonly priority: number; readonly inner: number; readonly run: () => void }[] = [];
  let translated = trace.connection.direction === "reply";
  for (const table of tables) {
    for (const [name, chain] of table.chains) {
      const { base } = chain;
      if (base?.hook !== hook) continue;
      const run = () => runChain(table, name, chain, trace, options);
      if (base.type === "filter" || (hook !== "prerouting" && hook !== "postrouting")) {
        steps.push({ priority: base.priority, inner: 0, run });
      } else {
        // The first nat chain that decides is the last one asked, and only new connections are asked about.
        const once = () => {
          if (!translated) translated = run() === "translated";
        };
        steps.push({ priority: natPriority[hook], inner: base.priority, run: once });
      }
    }
  }
  if (hook === "prerouting") {
    const track = () => {
      trace.connection = { ...trace.connection, original: trace.packet };
    };
    steps.push({ priority: trackingPriority, inner: 0, run: track });
  }
  steps.sort((left, right) => left.priority - right.priority || left.inner - right.inner);
  for (const step of steps) if (trace.stopped === undefined) step.run();
}

type Verdict = "next" | "done" | "translated";

function runChain(table: FakeTable, name: string, chain: FakeChain, trace: Trace, options: TraceOptions): Verdict {
  for (const rule of chain.rules) {
    const verdict = runRule(table, name, rule, trace, options);
    if (verdict !== "next") return verdict;
  }
  return "done";
}

function runRule(table: FakeTable, chain: string, rule: string, trace: Trace, options: TraceOptions): Verdict {
  const reader = new RuleReader(rule);
  const context = (): ExpressionContext => ({ ...trace, random: options.random ?? (() => 0) });
  const goTo = (verdict: string): Verdict => {
    const target = verdict.replace(/^goto /, "");
    const next = table.chains.get(target);
    if (next === undefined) throw new Error(`no chain for ${verdict}`);
    return runChain(table, target, next, trace, options);
  };
  while (!reader.done) {
    if (reader.accept("drop")) {
      trace.stopped = { chain, refusal: undefined };
      return "done";
    }
    if (reader.accept("reject")) {
      trace.stopped = { chain, refusal: reader.accept("with", "tcp", "reset") ? "reset" : "unreachable" };
      return "done";
    }
    if (reader.accept("goto")) return goTo(reader.take());
    if (reader.accept("masquerade")) {
      trace.masqueraded = true;
      return "translated";
    }
    if (reader.accept("dnat", "to")) {
      const expression = readExpression(reader, table.family);
      const target = reader.accept("map") ? lookUp(table, reader.take(), expression(context())) : expression(context());
      const [daddr, dport] = target?.split(" . ") ?? [];
      if (daddr === undefined) return "next";
      trace.packet = { ...trace.packet, daddr, dport: Number(dport ?? trace.packet.dport) };
      trace.connection = { ...trace.connection, translated: true };
      return "translated";
    }
    const target = reader.rest;
    const expression = readExpression(reader, table.family);
    if (reader.accept("set")) {
      const source = readExpression(reader, table.family);
      const value = reader.accept("map") ? lookUp(table, reader.take(), source(context())) : source(context());
      if (value === undefined || expression(context()) === undefined) return "next";
      assign(trace, target, value);
    } else if (reader.accept("vmap")) {
      const verdict = lookUp(table, reader.take(), expression(context()));
      if (verdict !== undefined) return goTo(verdict);
    } else if (!matches(reader, table, expression(context()))) return "next";
  }
  return "next";
}

function matches(reader: RuleReader, table: FakeTable, value: string | undefined): boolean {
  if (reader.accept("{")) {
    const members: string[] = [];
    while (!reader.accept("}")) members.push(reader.take().replace(/,$/, ""));
    return value !== undefined && members.includes(value);
  }
  const negated = reader.accept("!=");
  reader.accept("==");
  const operand = reader.take();
  if (value === undefined) return false;
  const literal = /^0x/.test(operand) ? String(Number(operand)) : operand;
  const found = operand.startsWith("@") ? lookUp(table, operand, value) !== undefined : value === literal;
  return found !== negated;
}

function lookUp(table: FakeTable, reference: string, key: string | undefined): string | undefined {
  const set = table.sets.get(reference.slice(1));
  if (set === undefined) throw new Error(`no set ${reference}`);
  if (key === undefined) return undefined;
  if (!set.declaration.includes("flags interval")) return set.elements.get(key);
  for (const [candidate, value] of set.elements) if (withinIntervals(candidate, key)) return value;
  return undefined;
}

/** Part by part: the same text, or an address within a range. */
function withinIntervals(candidate: string, key: string): boolean {
  const ranges = candidate.split(" . ");
  return key.split(" . ").every((part, index) => {
    const address = parseAddress(part);
    const range = parseRange(ranges[index] ?? "").range;
    return part === ranges[index] || (address !== undefined && range !== undefined && rangeContains(range, address));
  });
}

function assign(trace: Trace, target: readonly string[], value: string): void {
  const [first, second] = target;
  if (second === "daddr" || second === "saddr") trace.packet = { ...trace.packet, [second]: value };
  else if (second === "dport" || second === "sport") trace.packet = { ...trace.packet, [second]: Number(value) };
  else if (first === "meta" && second === "mark") trace.packet = { ...trace.packet, mark: Number(value) };
  else if (first === "ct" && second === "mark") trace.connection = { ...trace.connection, mark: Number(value) };
  else throw new Error(`cannot set ${first} ${second}`);
}
