import type { NftElement } from "../../src/nft/set.ts";
import type { NftAction, NftCommand, NftIpFamily, NftTransaction } from "../../src/nft/transaction.ts";
import { affinitySets, type KnownClients, keepClients, noClients } from "./affinity-clients.ts";
import { type Element, type SetName, targetNameOf } from "./element.ts";
import { idKindOf } from "./element-id.ts";
import type { ElementIndex } from "./element-index.ts";
import {
  type ChangedElements,
  ElementList,
  elementOf,
  type IdentifiedElement,
  keptNftElements,
  keptNftKeys,
  keptSize,
} from "./kept-element.ts";
import type { RuleSettings } from "./rules.ts";
import { sets } from "./sets.ts";
import { createTable, createTargetChain, inTable, removeTable, targetRulesOf } from "./tables.ts";

/** What is known of one table in the kernel besides its elements, which the index knows. */
export interface TableState {
  /** The chains other than the fixed ones, by name. */
  readonly targetChains: Set<string>;
  /** How many more elements each set takes; a set that is missing takes any number. */
  readonly room: Map<SetName, number>;
}

export function emptyTable(): TableState {
  return { targetChains: new Set(), room: new Map() };
}

/**
 * A set without ranges that has at least this many elements when its table is written gets a size: the kernel then makes its hash table at once,
 * and does not have to grow it many times within the transaction (net/netfilter/nft_set_hash.c). A set with a size takes no more elements than
 * that.
 */
const sizedFrom = 1_000;

/** Room for as many elements again. A change that needs more replaces the table. */
const sizeFactor = 2;

/** A transaction, and what it does to the table. */
export interface TableChange {
  readonly transaction: NftTransaction;
  readonly removed: ChangedElements;
  /** Of a table that is replaced, those of the index as it is then. */
  readonly added: ChangedElements;
  /** The chains that it makes because elements lead to them. */
  readonly targetChains: Iterable<string>;
  /** By set: how much room for elements it takes or, below 0, frees. Of a table that is replaced: the room that is left, below 0. */
  readonly taken: ReadonlyMap<SetName, number>;
}

/** Whether the sets have room for the elements that a change adds. */
export function hasRoom({ room }: TableState, { taken }: TableChange): boolean {
  for (const [set, count] of taken) if (count > (room.get(set) ?? Number.POSITIVE_INFINITY)) return false;
  return true;
}

/** Notes a change that took effect. `replaced`: the table was new. */
export function settleChange(table: TableState, change: TableChange, replaced: boolean): void {
  for (const chain of change.targetChains) table.targetChains.add(chain);
  for (const [set, count] of change.taken) {
    const room = replaced ? 0 : table.room.get(set);
    if (room !== undefined) table.room.set(set, room - count);
  }
}

interface SetAdditions {
  readonly elements: IdentifiedElement[];
  /** Of the kernel's elements. */
  size: number;
}

/** Elements of several sets, and the chains that they lead to. */
class Additions {
  readonly #family: NftIpFamily;
  readonly #present: ReadonlySet<string>;
  readonly #sets = new Map<SetName, SetAdditions>();
  readonly #targets = new Map<string, Element>();

  /** `present`: chains that are there already. */
  constructor(family: NftIpFamily, present: ReadonlySet<string>) {
    this.#family = family;
    this.#present = present;
  }

  add(element: IdentifiedElement): void {
    const { id, kept } = element;
    const { set } = idKindOf(id);
    const size = keptSize(element);
    const added = this.#sets.get(set);
    if (added === undefined) this.#sets.set(set, { elements: [element], size });
    else {
      added.elements.push(element);
      added.size += size;
    }
    if (typeof kept === "string") return;
    const target = targetNameOf(kept);
    if (target !== undefined && !this.#present.has(target)) this.#targets.set(target, kept);
  }

  /** Those of these sets. */
  *of(names: ReadonlySet<SetName>): Iterable<Element> {
    for (const [set, { elements }] of this.#sets)
      if (names.has(set)) for (const { id, kept } of elements) yield elementOf(id, kept);
  }

  get targetChains(): Iterable<string> {
    return this.#targets.keys();
  }

  /** How many of the kernel's elements. */
  get size(): number {
    let sum = 0;
    for (const { size } of this.#sets.values()) sum += size;
    return sum;
  }

  /** How many elements of each set. */
  get counts(): ReadonlyMap<SetName, number> {
    return new Map([...this.#sets].map(([set, { size }]) => [set, size]));
  }

  get commands(): readonly NftCommand[] {
    const family = this.#family;
    const chains = [...this.#targets].flatMap(([name, element]) =>
      createTargetChain(family, { name, rules: targetRulesOf(element) }),
    );
    const elements = [...this.#sets].map(
      ([name, { elements: added }]): NftAction => ({
        kind: "addElements",
        set: sets[family][name],
        elements: keptNftElements(added),
      }),
    );
    return [...chains, ...inTable(family, elements)];
  }
}

/**
 * The transaction from the elements of the index when it was last settled to those that it has now; only changed elements are compared. Deletions
 * come first. Undefined if there is nothing to do. Chains that no element leads to any longer stay until the table is next replaced: some
 * kernels refuse to delete them in the same transaction.
 */
export function changeTable(family: NftIpFamily, table: TableState, index: ElementIndex): TableChange | undefined {
  const deletions = new Map<SetName, NftElement[]>();
  const additions = new Additions(family, table.targetChains);
  const removed = new ElementList();
  const added = new ElementList();
  for (const { id, gone, come } of index.changes()) {
    if (gone !== undefined) {
      append(deletions, idKindOf(id).set, keptNftKeys({ id, kept: gone }));
      removed.add({ id, kept: gone });
    }
    if (come !== undefined) {
      additions.add({ id, kept: come });
      added.add({ id, kept: come });
    }
  }
  if (removed.size + added.size === 0) return undefined;
  const deleted = [...deletions].map(
    ([name, elements]): NftAction => ({ kind: "deleteElements", set: sets[family][name], elements }),
  );
  const commands = [...inTable(family, deleted), ...additions.commands];
  const taken = new Map(additions.counts);
  for (const [set, elements] of deletions) taken.set(set, (taken.get(set) ?? 0) - elements.length);
  return { transaction: { commands }, removed, added, targetChains: additions.targetChains, taken };
}

/** Adds all elements of the index to a table that has its sets, and no elements. */
export function fillTable(family: NftIpFamily, index: ElementIndex): Additions {
  const additions = new Additions(family, emptyTable().targetChains);
  for (const element of index.all()) additions.add(element);
  return additions;
}

/**
 * Replaces the whole table in one transaction, so that every packet meets complete rules. The existing table is deleted first, whichever version
 * wrote it. Without any address the table is only removed. `clients`: those with session affinity that it has; those of endpoints that are gone are
 * left out. `removed`: known elements that are no longer desired. Their flows are deleted afterwards.
 */
export function replaceTable(
  family: NftIpFamily,
  settings: RuleSettings,
  index: ElementIndex,
  clients: KnownClients = noClients,
  removed: ChangedElements = new ElementList(),
): TableChange {
  if (!hasAddress(index)) {
    const nothing = { removed, added: new ElementList(), targetChains: [], taken: new Map() };
    return { transaction: { commands: removeTable(family) }, ...nothing };
  }
  const additions = fillTable(family, index);
  const has = (id: string): boolean => index.kept(id) !== undefined;
  const kept = keepClients(family, clients, has, additions.of(affinitySets));
  const large = [...additions.counts].filter(
    ([set, count]) => count >= sizedFrom && sets[family][set].interval !== true,
  );
  const sizes = new Map<string, number>(large.map(([set, count]) => [set, count * sizeFactor]));
  const created = createTable(family, settings, sizes);
  const commands = [...removeTable(family), ...created, ...additions.commands, ...kept];
  const added = { size: additions.size, has, of: (names: ReadonlySet<SetName>) => additions.of(names) };
  const taken = new Map(large.map(([set, count]) => [set, count - count * sizeFactor]));
  return { transaction: { commands }, removed, added, targetChains: additions.targetChains, taken };
}

const addressSets: ReadonlySet<SetName> = new Set<SetName>(["service_addresses"]);

/** Without an address of a Service, no table is needed. */
export function hasAddress(index: ElementIndex): boolean {
  for (const _ of index.of(addressSets)) return true;
  return false;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, values: readonly Value[]): void {
  const list = lists.get(key) ?? [];
  for (const value of values) list.push(value);
  lists.set(key, list);
}
