import type { NftElement } from "../../src/nft/set.ts";
import type { NftCommand, NftIpFamily, NftTransaction } from "../../src/nft/transaction.ts";
import { keepClients } from "./affinity-clients.ts";
import { type Element, nftElement, nftKey, type SetName, sameValue, targetNameOf } from "./element.ts";
import type { ElementIndex, ElementsById } from "./element-index.ts";
import type { RuleSettings } from "./rules.ts";
import { sets } from "./sets.ts";
import { createTable, createTargetChain, inTable, removeTable, targetRulesOf } from "./tables.ts";

/** The elements of one table in the kernel, and its chains other than the fixed ones, by name. */
export interface TableState {
  readonly elements: ElementsById;
  readonly targetChains: ReadonlySet<string>;
}

export interface WritableTableState extends TableState {
  readonly elements: Map<string, Element>;
  readonly targetChains: Set<string>;
}

export function emptyTable(): WritableTableState {
  return { elements: new Map(), targetChains: new Set() };
}

/** A transaction, and the state of the table after it. */
export interface TableChange {
  readonly transaction: NftTransaction;
  readonly removed: ElementsById;
  readonly added: ElementsById;
}

/**
 * The transaction from `applied` to the desired elements of the index; only changed elements are compared. Deletions come first.
 * Undefined if there is nothing to do. Chains that no element leads to any longer stay until the table is next replaced: some
 * kernels refuse to delete them in the same transaction.
 */
export function changeTable(
  family: NftIpFamily,
  applied: TableState,
  index: ElementIndex,
  changed: Iterable<readonly [string, Element]>,
): TableChange | undefined {
  const deletions = new Map<SetName, NftElement[]>();
  const additions = new Map<SetName, NftElement[]>();
  const targets = new Map<string, Element>();
  const removed = new Map<string, Element>();
  const added = new Map<string, Element>();
  for (const [id, one] of changed) {
    if (one.family !== family) continue;
    const before = applied.elements.get(id);
    const after = index.get(id);
    if (before !== undefined && after !== undefined && sameValue(before, after)) continue;
    if (before !== undefined) {
      append(deletions, before.set, nftKey(before));
      removed.set(id, before);
    }
    if (after !== undefined) {
      append(additions, after.set, nftElement(after));
      added.set(id, after);
      const target = targetNameOf(after);
      if (target !== undefined && !applied.targetChains.has(target)) targets.set(target, after);
    }
  }
  if (removed.size + added.size === 0) return undefined;
  const commands: NftCommand[] = [];
  for (const [name, elements] of deletions) {
    commands.push(...inTable(family, [{ kind: "deleteElements", set: sets[family][name], elements }]));
  }
  for (const [name, element] of targets) {
    commands.push(...createTargetChain(family, { name, rules: targetRulesOf(element) }));
  }
  for (const [name, elements] of additions) {
    commands.push(...inTable(family, [{ kind: "addElements", set: sets[family][name], elements }]));
  }
  return { transaction: { commands }, removed, added };
}

/**
 * Replaces the whole table in one transaction, so that every packet meets complete rules. The existing table is deleted first, whichever
 * version wrote it. Without any address the table is only removed. `learned`: the clients with session affinity that it has; those of
 * endpoints that are gone are left out.
 */
export function replaceTable(
  family: NftIpFamily,
  settings: RuleSettings,
  index: ElementIndex,
  learned: readonly NftElement[] = [],
): TableChange {
  const all = [...index.all()].filter(([, element]) => element.family === family);
  const needed = all.some(([, element]) => element.set === "service_addresses");
  const change = needed ? changeTable(family, emptyTable(), index, all) : undefined;
  const commands = needed ? [...removeTable(family), ...createTable(family, settings)] : removeTable(family);
  const kept = change === undefined ? [] : keepClients(family, learned, (id) => index.get(id) !== undefined);
  return {
    transaction: { commands: [...commands, ...(change?.transaction.commands ?? []), ...kept] },
    removed: new Map(),
    added: change?.added ?? new Map(),
  };
}

/** Applies a change to the state. Changes it in place, because a copy would cost O(elements). */
export function settleChange(state: WritableTableState, change: TableChange): void {
  for (const id of change.removed.keys()) state.elements.delete(id);
  for (const [id, element] of change.added) {
    state.elements.set(id, element);
    const target = targetNameOf(element);
    if (target !== undefined) state.targetChains.add(target);
  }
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
