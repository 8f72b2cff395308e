import { BellhopError } from "../error/error.ts";
import { type Data, splitData } from "./data.ts";
import { expressionsOf } from "./dependencies.ts";
import type { Expression } from "./expression.ts";
import type { Nft, NftFailureCause, NftReader } from "./nft.ts";
import { keyId, type NftElement, type NftSet, printKey, sameData } from "./set.ts";
import type { NftRule } from "./statement.ts";
import type { BaseChain, NftCommand, NftFamily, NftTable, NftTransaction } from "./transaction.ts";
import { chainOf } from "./verdict.ts";

export interface FakeChain {
  readonly base: BaseChain | undefined;
  readonly rules: readonly NftRule[];
}

export interface FakeSet {
  readonly declaration: NftSet;
  /** By `keyId`. */
  readonly elements: ReadonlyMap<string, NftElement>;
}

export interface FakeTable {
  readonly family: NftFamily;
  readonly name: string;
  readonly chains: ReadonlyMap<string, FakeChain>;
  readonly sets: ReadonlyMap<string, FakeSet>;
}

interface WritableTable extends FakeTable {
  readonly chains: Map<string, { readonly base: BaseChain | undefined; readonly rules: NftRule[] }>;
  readonly sets: Map<string, { readonly declaration: NftSet; readonly elements: Map<string, NftElement> }>;
}

/**
 * nftables in memory, with the kernel's rules as far as Bellhop depends on them: transactions hold as a whole or not at all;
 * what is referred to must be there; a key of a map keeps its value until deleted. Does not check types.
 */
export class FakeNft implements Nft, NftReader {
  #tables = new Map<string, WritableTable>();
  /** Every transaction that was accepted, in order. */
  readonly accepted: NftTransaction[] = [];
  /** Set it to make the next transactions fail, with nothing changed. */
  broken: string | undefined;
  /** Set it to make the outcome of the next transactions unknown: they take effect, and say that this is not known. */
  outcomeUnknown = false;
  /** Set it to refuse elements: how the kernel says it, with the key of the element or without. */
  refusal: (set: NftSet, element: NftElement) => "named" | "unnamed" | undefined = () => undefined;

  get tables(): ReadonlyMap<string, FakeTable> {
    return this.#tables;
  }

  /** The table, by family and name. */
  table(family: NftFamily, name: string): FakeTable | undefined {
    return this.#tables.get(`${family} ${name}`);
  }

  async readElements({ family, name }: NftTable, set: NftSet): Promise<readonly NftElement[]> {
    if (this.broken !== undefined) throw new BellhopError("NftFailed", this.broken);
    return [...(this.table(family, name)?.sets.get(set.name)?.elements.values() ?? [])];
  }

  async run(transaction: NftTransaction): Promise<void> {
    if (this.broken !== undefined) throw new BellhopError("NftFailed", this.broken);
    const tables = structuredClone(this.#tables);
    for (const command of transaction.commands) {
      this.#refuse(command);
      applyCommand(tables, command);
    }
    this.#tables = tables;
    this.accepted.push(transaction);
    const cause: NftFailureCause = { kind: "unknown" };
    if (this.outcomeUnknown) throw new BellhopError("NftFailed", "answers were lost", { cause });
  }

  #refuse(command: NftCommand): void {
    if (command.kind !== "addElements") return;
    for (const element of command.elements) {
      const how = this.refusal(command.set, element);
      if (how === undefined) continue;
      const key = Uint8Array.from(element.key, (char) => char.charCodeAt(0));
      const fault = { errno: "EINVAL", ...(how === "named" ? { location: { element: { key } } } : {}) };
      const cause: NftFailureCause = { kind: "refused", faults: [fault] };
      throw new BellhopError("NftFailed", `EINVAL in ${command.set.name}`, { cause });
    }
  }
}

function refuse(reason: string): never {
  throw new BellhopError("NftFailed", reason);
}

function applyCommand(tables: Map<string, WritableTable>, command: NftCommand): void {
  const { family, name: tableName } = command.table;
  const name = `${family} ${tableName}`;
  if (command.kind === "addTable") {
    if (!tables.has(name)) tables.set(name, { family, name: tableName, chains: new Map(), sets: new Map() });
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
      if (!table.sets.has(command.set.name)) {
        table.sets.set(command.set.name, { declaration: command.set, elements: new Map() });
      }
      break;
    case "addElements":
      for (const element of command.elements) addElement(table, command.set, element);
      break;
    case "deleteElements": {
      const { elements } = table.sets.get(command.set.name) ?? refuse(`no set ${command.set.name}`);
      for (const element of command.elements) {
        if (!elements.delete(keyId(element))) {
          refuse(`no element ${printKey(command.set, element)} in ${command.set.name}`);
        }
      }
    }
  }
}

function addElement(table: WritableTable, { name }: NftSet, element: NftElement): void {
  const { declaration, elements } = table.sets.get(name) ?? refuse(`no set ${name}`);
  const { data } = element;
  if ((declaration.data === undefined) !== (data === undefined)) refuse(`${name}: data is needed in maps only`);
  const present = elements.get(keyId(element));
  if (present !== undefined && !sameData(present, element)) {
    refuse(`${printKey(declaration, element)} in ${name} has other data`);
  }
  if (typeof data === "object") checkChain(table, chainOf(data));
  if (declaration.interval === true) checkOverlap(declaration, elements.values(), element);
  elements.set(keyId(element), element);
  if (declaration.size !== undefined && elements.size > declaration.size) refuse(`ENFILE: ${name} is full`);
}

function checkOverlap(set: NftSet, present: Iterable<NftElement>, element: NftElement): void {
  for (const other of present) {
    if (keyId(other) === keyId(element) || !overlap(set, element, other)) continue;
    refuse(`${printKey(set, element)} in ${set.name} overlaps ${printKey(set, other)}`);
  }
}

/** Whether elements of a set have a key in common: ranges overlap if they do in each part of the key. */
export function overlap(set: NftSet, left: NftElement, right: NftElement): boolean {
  const [leftFirst, leftLast] = rangeParts(set, left);
  const [rightFirst, rightLast] = rangeParts(set, right);
  return leftFirst.every(
    (first, index) => first <= (rightLast[index] ?? "") && (rightFirst[index] ?? "") <= (leftLast[index] ?? ""),
  );
}

function rangeParts(set: NftSet, { key, keyEnd }: NftElement): readonly [readonly Data[], readonly Data[]] {
  return [splitData(set.key, key), splitData(set.key, keyEnd ?? key)];
}

function checkChain(table: WritableTable, chain: string | undefined): void {
  if (chain !== undefined && !table.chains.has(chain)) refuse(`no chain ${chain}`);
}

function checkSet(table: WritableTable, { name }: NftSet): void {
  if (!table.sets.has(name)) refuse(`no set ${name}`);
}

/** Sets that a rule reads or fills, and chains that it leads to, must be there. */
function checkReferences(table: WritableTable, rule: NftRule): void {
  for (const statement of rule) {
    if (["lookup", "update", "delete"].includes(statement.kind) && "set" in statement) checkSet(table, statement.set);
    if (statement.kind === "vmap") checkSet(table, statement.map);
    if (statement.kind === "verdict") checkChain(table, chainOf(statement.verdict));
    checkMaps(table, expressionsOf(statement));
  }
}

function checkMaps(table: WritableTable, expressions: readonly Expression[]): void {
  for (const expression of expressions) {
    if (expression.kind === "bitwise") checkMaps(table, [expression.of]);
    if (expression.kind === "jhash") checkMaps(table, expression.of);
    if (expression.kind !== "map") continue;
    checkSet(table, expression.map);
    checkMaps(table, expression.key);
  }
}
