import type { NftFamily } from "./transaction.ts";

/** A packet on its way through a node, as the rules see it. `l4proto` in lower case. */
export interface TracedPacket {
  readonly iifname: string;
  readonly saddr: string;
  readonly daddr: string;
  readonly l4proto: string;
  readonly sport: number;
  readonly dport: number;
  readonly mark: number;
  /** Whether it is a SYN, which opens a TCP connection. */
  readonly syn: boolean;
}

/** What connection tracking knows of it. */
export interface TracedConnection {
  /** The packet as tracking first saw it. */
  readonly original: TracedPacket;
  readonly mark: number;
  readonly translated: boolean;
  readonly direction: "original" | "reply";
}

export type Expression = (context: ExpressionContext) => string | undefined;

export interface ExpressionContext {
  readonly packet: TracedPacket;
  readonly connection: TracedConnection;
  /** In [0, 1): what `numgen random` draws. */
  readonly random: () => number;
}

/** The words of a rule, read one after the other. */
export class RuleReader {
  readonly #words: readonly string[];
  #next = 0;

  constructor(rule: string) {
    this.#words = rule.split(" ");
  }

  get done(): boolean {
    return this.#next >= this.#words.length;
  }

  /** The words that are still to come. */
  get rest(): readonly string[] {
    return this.#words.slice(this.#next);
  }

  /** The next word, taken. */
  take(): string {
    return this.#words[this.#next++] ?? "";
  }

  /** Takes the words if they are the next ones. */
  accept(...words: readonly string[]): boolean {
    if (words.some((word, offset) => this.#words[this.#next + offset] !== word)) return false;
    this.#next += words.length;
    return true;
  }
}

/** Parts joined by ` . `; undefined as soon as one has no value for the packet (`tcp dport` of a UDP packet). */
export function readExpression(reader: RuleReader, family: NftFamily): Expression {
  const parts = [readTerm(reader, family)];
  while (reader.accept(".")) parts.push(readTerm(reader, family));
  return (context) => {
    const values = parts.map((part) => part(context));
    return values.includes(undefined) ? undefined : values.join(" . ");
  };
}

function readTerm(reader: RuleReader, family: NftFamily): Expression {
  const term = readPlainTerm(reader, family);
  if (reader.accept("and")) return withMask(term, reader.take(), (value, mask) => value & mask);
  if (reader.accept("or")) return withMask(term, reader.take(), (value, mask) => value | mask);
  return term;
}

function withMask(term: Expression, mask: string, combine: (value: number, mask: number) => number): Expression {
  return (context) => String(combine(Number(term(context)), Number(mask)) >>> 0);
}

function readPlainTerm(reader: RuleReader, family: NftFamily): Expression {
  if (reader.accept(family, "daddr")) return ({ packet }) => packet.daddr;
  if (reader.accept(family, "saddr")) return ({ packet }) => packet.saddr;
  if (reader.accept("iifname")) return ({ packet }) => `"${packet.iifname}"`;
  if (reader.accept("meta", "l4proto")) return ({ packet }) => packet.l4proto;
  if (reader.accept("meta", "mark")) return ({ packet }) => String(packet.mark);
  if (reader.accept("ct", "mark")) return ({ connection }) => String(connection.mark);
  if (reader.accept("ct", "direction")) return ({ connection }) => connection.direction;
  if (reader.accept("ct", "status")) return ({ connection }) => (connection.translated ? "dnat" : "");
  if (reader.accept("ct", "original", family, "daddr")) return ({ connection }) => connection.original.daddr;
  if (reader.accept("tcp", "flags", "&", "(fin|syn|rst|ack)")) {
    return ({ packet }) => (packet.l4proto !== "tcp" ? undefined : packet.syn ? "syn" : "ack");
  }
  for (const protocol of ["th", "tcp", "udp"]) {
    if (reader.accept(protocol, "dport")) return portOf(protocol, ({ dport }) => dport);
    if (reader.accept(protocol, "sport")) return portOf(protocol, ({ sport }) => sport);
  }
  if (reader.accept("numgen", "random", "mod")) {
    const modulus = Number(reader.take());
    return ({ random }) => String(Math.floor(random() * modulus));
  }
  if (reader.accept("jhash", family, "saddr", "mod")) {
    const modulus = Number(reader.take());
    return ({ packet }) => String(hash(packet.saddr) % modulus);
  }
  const literal = reader.take();
  return () => (/^0x/.test(literal) ? String(Number(literal)) : literal);
}

function portOf(protocol: string, port: (packet: TracedPacket) => number): Expression {
  return ({ packet }) => (protocol === "th" || protocol === packet.l4proto ? String(port(packet)) : undefined);
}

/** Not the kernel's hash, but like it a constant of the client. */
function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + letter.charCodeAt(0)) >>> 0;
  return value;
}
