import type { NftCommand, NftElement, NftFamily, NftTransaction } from "../../src/nft/transaction.ts";
import type { ElementId, ElementIndex } from "./element-index.ts";
import type { Element } from "./render.ts";
import { createPickChain, createTable, removeTable, type SetName, type TableSettings, tableName } from "./tables.ts";

/** The elements of one table in the kernel, by set and key, and the chains beside the fixed ones. */
export interface TableState {
  readonly sets: ReadonlyMap<SetName, ReadonlyMap<string, string>>;
  readonly pickChains: ReadonlySet<string>;
}

export interface WritableTableState extends TableState {
  readonly sets: Map<SetName, Map<string, string>>;
  readonly pickChains: Set<string>;
}

export const emptyTable: TableState = { sets: new Map(), pickChains: new Set() };

/** A transaction and what it makes of the table once the kernel has taken it. */
export interface TableChange {
  readonly transaction: NftTransaction;
  readonly removed: readonly ElementId[];
  readonly added: readonly Element[];
}

/**
 * What brings the table from `applied` to what the index wants, looking at the changed elements alone. Deletions come first.
 * Undefined when there is nothing to do. Chains that no element leads to any more stay until the table is next replaced: some
 * kernels refuse to delete them in the same transaction.
 */
export function changeTable(
  family: NftFamily,
  applied: TableState,
  index: ElementIndex,
  changed: readonly ElementId[],
): TableChange | undefined {
  const removals = new Map<SetName, string[]>();
  const additions = new Map<SetName, NftElement[]>();
  const chains = new Set<string>();
  const removed: ElementId[] = [];
  const added: Element[] = [];
  for (const id of changed) {
    if (id.family !== family) continue;
    const before = applied.sets.get(id.set)?.get(id.key);
    const after = index.value(id);
    if (before === after) continue;
    if (before !== undefined) {
      append(removals, id.set, id.key);
      removed.push(id);
    }
    if (after !== undefined) {
      append(additions, id.set, after === "" ? { key: id.key } : { key: id.key, value: after });
      added.push({ family, set: id.set, key: id.key, value: after });
      const chain = chainOf(id, after);
      if (chain !== undefined && !applied.pickChains.has(chain)) chains.add(chain);
    }
  }
  if (removed.length + added.length === 0) return undefined;
  const commands: NftCommand[] = [];
  for (const [set, keys] of removals) commands.push({ kind: "deleteElements", set, keys });
  for (const chain of chains) commands.push(...createPickChain(family, chain));
  for (const [set, elements] of additions) commands.push({ kind: "addElements", set, elements });
  return { transaction: { family, table: tableName, commands }, removed, added };
}

/** The whole table anew, in one transaction, so that no packet meets a gap. Without any address it is just removed. */
export function replaceTable(family: NftFamily, settings: TableSettings, index: ElementIndex): TableChange {
  const all = [...index.all()].filter((id) => id.family === family);
  const needed = all.some((id) => id.set === "addresses");
  const change = needed ? changeTable(family, emptyTable, index, all) : undefined;
  const commands = needed ? [...removeTable, ...createTable(family, settings)] : removeTable;
  return {
    transaction: { family, table: tableName, commands: [...commands, ...(change?.transaction.commands ?? [])] },
    removed: [],
    added: change?.added ?? [],
  };
}

/** What a change leaves in the table. Changes the state in place: a copy would cost what there is. */
export function settleChange(state: WritableTableState, change: TableChange): void {
  for (const { set, key } of change.removed) state.sets.get(set)?.delete(key);
  for (const element of change.added) {
    const elements = state.sets.get(element.set) ?? new Map<string, string>();
    state.sets.set(element.set, elements.set(element.key, element.value));
    const chain = chainOf(element, element.value);
    if (chain !== undefined) state.pickChains.add(chain);
  }
}

function chainOf({ set }: ElementId, value: string): string | undefined {
  return set === "pod_ports" ? value.slice("goto ".length) : undefined;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
