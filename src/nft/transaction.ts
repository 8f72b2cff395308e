import { type NftData, type NftElement, printData } from "./element.ts";

/** The families that Bellhop has tables in. A table of family inet would see both, but its nat and concatenations are younger. */
export type NftFamily = "ip" | "ip6";

/** Where a chain hangs in the path of packets. Priorities are numbers: nft 1.0.6 refuses some of the names in some hooks. */
export interface BaseChain {
  readonly type: "filter" | "nat";
  readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
  readonly priority: number;
}

/** One command about one table. Chains, sets and maps are created; creating one that is there already changes nothing. */
export type NftCommand =
  | { readonly kind: "addTable" }
  | { readonly kind: "deleteTable" }
  | { readonly kind: "addChain"; readonly chain: string; readonly base?: BaseChain }
  | { readonly kind: "addRule"; readonly chain: string; readonly rule: string }
  | {
      /** `declaration` is what is between the braces: `type ipv4_addr . inet_proto : verdict;`. A colon makes it a map. */
      readonly kind: "addSet";
      readonly set: string;
      readonly declaration: string;
    }
  | { readonly kind: "addElements"; readonly set: string; readonly elements: readonly NftElement[] }
  | { readonly kind: "deleteElements"; readonly set: string; readonly keys: readonly (readonly NftData[])[] };

/** Commands about one table that the kernel carries out all together or not at all. Plain data: print it, compare it, run it. */
export interface NftTransaction {
  readonly family: NftFamily;
  readonly table: string;
  readonly commands: readonly NftCommand[];
}

/** How many elements go into one command; nft's time and memory grow more than linearly beyond some thousands. */
const elementsPerCommand = 2000;

/** A declaration with a colon, outside of the flags, maps keys to values. */
export function isMapDeclaration(declaration: string): boolean {
  return declaration.includes(" : ");
}

/** The text for `nft -f`. */
export function printTransaction(transaction: NftTransaction): string {
  const table = `${transaction.family} ${transaction.table}`;
  return transaction.commands
    .flatMap((command) => printCommand(command, table))
    .map((line) => `${line}\n`)
    .join("");
}

function printCommand(command: NftCommand, table: string): readonly string[] {
  switch (command.kind) {
    case "addTable":
      return [`add table ${table}`];
    case "deleteTable":
      return [`delete table ${table}`];
    case "addChain":
      return [`add chain ${table} ${command.chain}${printBase(command.base)}`];
    case "addRule":
      return [`add rule ${table} ${command.chain} ${command.rule}`];
    case "addSet": {
      const kind = isMapDeclaration(command.declaration) ? "map" : "set";
      return [`add ${kind} ${table} ${command.set} { ${command.declaration} }`];
    }
    case "addElements": {
      return inBatches(command.elements.map(printElement)).map(
        (batch) => `add element ${table} ${command.set} { ${batch} }`,
      );
    }
    case "deleteElements":
      return inBatches(command.keys.map(printData)).map(
        (batch) => `delete element ${table} ${command.set} { ${batch} }`,
      );
  }
}

function printElement({ key, value }: NftElement): string {
  return value === undefined ? printData(key) : `${printData(key)} : ${printData(value)}`;
}

function printBase(base: BaseChain | undefined): string {
  if (base === undefined) return "";
  return ` { type ${base.type} hook ${base.hook} priority ${base.priority}; policy accept; }`;
}

function inBatches(texts: readonly string[]): readonly string[] {
  const batches: string[] = [];
  for (let start = 0; start < texts.length; start += elementsPerCommand) {
    batches.push(texts.slice(start, start + elementsPerCommand).join(", "));
  }
  return batches;
}
