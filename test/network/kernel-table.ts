import { Attributes } from "../../src/netlink/attributes.ts";
import type { MessageWriter } from "../../src/netlink/message-writer.ts";
import { netfilterHeaderLength } from "../../src/netlink/netfilter.ts";

/** A table as the kernel lists it, in texts that are equal when the kernel does the same. Names of tables and handles are left out. */
export interface KernelTable {
  /** Base chains with hook, policy and type. */
  readonly chains: Readonly<Record<string, string>>;
  /** Of each chain its rules, of each rule its expressions. */
  readonly rules: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly sets: Readonly<Record<string, KernelSet>>;
}

export interface KernelSet {
  readonly declaration: string;
  /** In hexadecimal, with the TLVs of nft(8). */
  readonly userdata: string;
  readonly elements: readonly string[];
}

/** Runs a dump of nf_tables in the family of the table. */
export type Dump = (message: number, fill: (writer: MessageWriter) => void) => readonly Uint8Array[];

/** NFT_MSG_GET*. */
const requests = { chains: 4, rules: 7, sets: 10, elements: 13 } as const;

export function readTable(dump: Dump, table: string): KernelTable {
  const list = (message: number, fill: (writer: MessageWriter) => void) =>
    dump(message, fill)
      .map((payload) => new Attributes(payload, netfilterHeaderLength))
      .filter((attributes) => attributes.text(1) === table);
  const withTable = (writer: MessageWriter) => writer.text(1, table);
  const chains: Record<string, string> = {};
  for (const chain of list(requests.chains, withTable)) {
    const hook = chain.nested(4);
    chains[chain.text(3) ?? ""] =
      hook === undefined ? "" : [printHook(hook), hex(chain.bytes(5)), chain.text(7)].join(" ");
  }
  const rules: Record<string, string[][]> = {};
  for (const rule of list(requests.rules, withTable)) {
    rules[rule.text(2) ?? ""] ??= [];
    rules[rule.text(2) ?? ""]?.push([...(rule.nested(4) ?? [])].map(({ nested }) => printExpression(nested())));
  }
  const sets: Record<string, KernelSet> = {};
  for (const set of list(requests.sets, withTable)) {
    const name = set.text(2) ?? "";
    const declared = [...set].filter(({ type }) => declarationAttributes.includes(type));
    const elements = list(requests.elements, (writer) => {
      writer.text(1, table);
      writer.text(2, name);
    }).flatMap((part) => [...(part.nested(3) ?? [])].map(({ value }) => hex(value)));
    sets[name] = {
      declaration: declared.map(({ type, value }) => `${type}=${hex(value)}`).join(" "),
      userdata: hex(set.bytes(13)),
      elements: elements.sort(),
    };
  }
  return { chains, rules, sets };
}

/** Flags, types and lengths, description, timeout. */
const declarationAttributes = [3, 4, 5, 6, 7, 9, 11];

/** Which attributes of an expression are registers. */
const registerAttributes: Readonly<Record<string, readonly number[]>> = {
  payload: [1, 5],
  meta: [1, 3],
  ct: [1, 4],
  cmp: [1],
  bitwise: [1, 2],
  byteorder: [1, 2],
  lookup: [2, 3],
  immediate: [1],
  numgen: [1],
  hash: [1, 2],
  nat: [3, 4, 5, 6],
  dynset: [4, 5],
  fwd: [1],
  dup: [1, 2],
};

function printExpression(expression: Attributes): string {
  const name = expression.text(1) ?? "";
  const registers = registerAttributes[name] ?? [];
  const parts = [...(expression.nested(2) ?? [])].map(({ type, value }) => {
    if (!registers.includes(type)) return `${type}=${hex(value)}`;
    return `${type}=r${slotOf(value[3] ?? 0)}`;
  });
  return [name, ...parts].join(" ");
}

/** The kernel lists registers that begin a block of 16 bytes by their old numbers, 1 to 4 (net/netfilter/nf_tables_api.c, nft_dump_register). */
function slotOf(register: number): number | "verdict" {
  if (register === 0) return "verdict";
  return register <= 4 ? (register - 1) * 4 : register - 8;
}

/** The kernel lists devices in any order. */
function printHook(hook: Attributes): string {
  return [...hook]
    .map(({ type, value, nested }) => {
      const devices = type === 4 ? [...nested()].map((device) => hex(device.value)).sort() : [hex(value)];
      return `${type}=${devices.join()}`;
    })
    .join(" ");
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes).toString("hex");
}
