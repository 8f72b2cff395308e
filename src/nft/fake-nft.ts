import { BellhopError } from "../error/error.ts";
import { type NftData, printData } from "./element.ts";
import type { Nft } from "./nft.ts";
import {
  type BaseChain,
  isMapDeclaration,
  type NftCommand,
  type NftFamily,
  type NftTransaction,
} from "./transaction.ts";

export interface FakeChain {
  readonly base: BaseChain | undefined;
  readonly rules: readonly string[];
}

export interface FakeSet {
  readonly declaration: string;
  /** By key, as nft prints it; the value is empty in a set. */
  readonly elements: ReadonlyMap<string, string>;
}

export interface FakeTable {
  readonly family: NftFamily;
  readonly name: string;
  readonly chains: ReadonlyMap<string, FakeChain>;
  readonly sets: ReadonlyMap<string, FakeSet>;
}

interface WritableTable extends FakeTable {
  readonly chains: Map<string, { readonly base: BaseChain | undefined; readonly rules: string[] }>;
  readonly sets: Map<string, { readonly declaration: string; readonly elements: Map<string, string> }>;
}

/**
 * nftables in memory, with the kernel's rules as far as Bellhop depends on them: transactions hold as a whole or not at all;
 * what is referred to must be there; a key of a map keeps its value until deleted. Does not parse rules.
 */
export class FakeNft implements Nft {
  #tables = new Map<string, WritableTable>();
  /** Every transaction that was accepted, in order. */
  readonly accepted: NftTransaction[] = [];
  /** Set it to make the next transactions fail as a broken nft does. */
  broken: string | undefined;

  get tables(): ReadonlyMap<string, FakeTable> {
    return this.#tables;
  }

  /** The table, by family and name. */
  table(family: NftFamily, name: string): FakeTable | undefined {
    return this.#tables.get(`${family} ${name}`);
  }

  async run(transaction: NftTransaction): Promise<void> {
    if (this.broken !== undefined) throw new BellhopError("NftFailed", this.broken);
    const tables = structuredClone(this.#tables);
    for (const command of transaction.commands) applyCommand(tables, transaction, command);
    this.#tables = tables;
    this.accepted.push(transaction);
  }
}

function refuse(reason: string): never {
  throw new BellhopError("NftFailed", reason);
}

function applyCommand(tables: Map<string, WritableTable>, transaction: NftTransaction, command: NftCommand): void {
  const name = `${transaction.family} ${transaction.table}`;
  if (command.kind === "addTable") {
    if (tables.has(name)) return;
    tables.set(name, { family: transaction.family, name: transaction.table, chains: new Map(), sets: new Map() });
    return;
  }
  const table = tables.get(name) ?? refuse(`no table ${name}`);
  switch (command.kind) {
    case "deleteTable":
      tables.delete(name);
      break;
    case "addChain":
      if (!table.chains.has(command.chain)) table.chains.set(command.chain, { base: command.base, rules: [] });
      break;
    case "addRule":
      checkReferences(table, command.rule);
      (table.chains.get(command.chain) ?? refuse(`no chain ${command.chain}`)).rules.push(command.rule);
      break;
    case "addSet":
      if (!table.sets.has(command.set)) {
        table.sets.set(command.set, { declaration: command.declaration, elements: new Map() });
      }
      break;
    case "addElements":
      for (const { key, value } of command.elements) addElement(table, command.set, key, value);
      break;
    case "deleteElements": {
      const { elements } = table.sets.get(command.set) ?? refuse(`no set ${command.set}`);
      for (const key of command.keys.map(printData)) {
        if (!elements.delete(key)) refuse(`no element ${key} in ${command.set}`);
      }
    }
  }
}

function addElement(table: WritableTable, setName: string, data: readonly NftData[], value?: readonly NftData[]): void {
  const set = table.sets.get(setName) ?? refuse(`no set ${setName}`);
  if (isMapDeclaration(set.declaration) !== (value !== undefined)) refuse(`${setName}: a value is needed in maps only`);
  const key = printData(data);
  const text = printData(value ?? []);
  const present = set.elements.get(key);
  if (present !== undefined && present !== text) refuse(`${key} in ${setName} has another value`);
  for (const part of value ?? []) if (part.kind === "goto") checkChain(table, part.chain);
  set.elements.set(key, text);
}

function checkChain(table: WritableTable, chain: string): void {
  if (!table.chains.has(chain)) refuse(`no chain ${chain}`);
}

/** Sets behind `@` and chains behind `goto` or `jump` must be there. */
function checkReferences(table: WritableTable, text: string): void {
  for (const [, set = ""] of text.matchAll(/@(\w+)/g)) if (!table.sets.has(set)) refuse(`no set ${set}`);
  for (const [, chain = ""] of text.matchAll(/\b(?:goto|jump) (\w+)/g)) checkChain(table, chain);
}
