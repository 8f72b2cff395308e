import { netfilterFamilies } from "../netlink/netfilter.ts";
import type { NftSet } from "../nft/set.ts";
import type { NftCommand, NftTable, NftTransaction } from "../nft/transaction.ts";
import type { TableContents, TableName } from "./table-contents.ts";

/** What a table contains after a transaction; undefined contents: the table is not there, or what it contains is not known. */
export interface ExpectedTable {
  readonly table: TableName;
  readonly contents: TableContents | undefined;
  /** Whether the transaction makes the table, so that it has a handle that is not known yet. */
  readonly replaced: boolean;
}

interface Contents {
  readonly chains: Map<string, number>;
  /** Elements of each set; undefined where they are not counted. */
  readonly sets: Map<string, number | undefined>;
}

/** A table that is not there, or what is in it. */
type Tracked = "absent" | Contents;

/**
 * Follows what our tables contain through the transactions that are run: `after`, and `settle` if the transaction took effect. A table is known
 * from the first transaction that deletes it. Elements that are added must not be there yet.
 */
export class ExpectedContents {
  readonly #tables = new Map<string, Tracked>();

  /** The tables that the transaction changes, as they will be. Changes nothing here. */
  after(transaction: NftTransaction): TransactionContents {
    const touched = new Map<string, { readonly table: NftTable; tracked: Tracked | undefined; replaced: boolean }>();
    for (const command of transaction.commands) {
      const id = idOf(command.table);
      const present = touched.get(id) ?? {
        table: command.table,
        tracked: copyOf(this.#tables.get(id)),
        replaced: false,
      };
      touched.set(id, present);
      if (command.kind === "addTable" && present.tracked === "absent") present.replaced = true;
      present.tracked = applied(present.tracked, command);
    }
    return new TransactionContents(touched, (id, tracked) => {
      if (tracked === undefined) this.#tables.delete(id);
      else this.#tables.set(id, tracked);
    });
  }
}

interface Touched {
  readonly table: NftTable;
  readonly tracked: Tracked | undefined;
  readonly replaced: boolean;
}

/** What the tables of one transaction contain after it. */
export class TransactionContents {
  readonly #touched: ReadonlyMap<string, Touched>;
  readonly #keep: (id: string, tracked: Tracked | undefined) => void;

  constructor(touched: ReadonlyMap<string, Touched>, keep: (id: string, tracked: Tracked | undefined) => void) {
    this.#touched = touched;
    this.#keep = keep;
  }

  get tables(): readonly ExpectedTable[] {
    return [...this.#touched.values()].map(({ table: { family, name }, tracked, replaced }) => ({
      table: { family: netfilterFamilies[family], name },
      contents: tracked === undefined || tracked === "absent" ? undefined : contentsOf(tracked),
      replaced,
    }));
  }

  /** The transaction took effect. */
  settle(): void {
    for (const [id, { tracked }] of this.#touched) this.#keep(id, tracked);
  }

  /** Whether it took effect is not known, and neither is what the tables contain. */
  forget(): void {
    for (const id of this.#touched.keys()) this.#keep(id, undefined);
  }
}

function idOf({ family, name }: NftTable): string {
  return `${family} ${name}`;
}

function copyOf(tracked: Tracked | undefined): Tracked | undefined {
  if (tracked === undefined || tracked === "absent") return tracked;
  return { chains: new Map(tracked.chains), sets: new Map(tracked.sets) };
}

function contentsOf({ chains, sets }: Contents): TableContents {
  const rules = new Map([...chains].filter(([, count]) => count > 0));
  const elements = new Map([...sets].flatMap(([set, count]) => (count === undefined ? [] : [[set, count] as const])));
  return { objects: chains.size + sets.size, rules, elements };
}

/** Changes `tracked` in place. Undefined is a table of which nothing is known, until it is deleted. */
function applied(tracked: Tracked | undefined, command: NftCommand): Tracked | undefined {
  if (command.kind === "deleteTable") return "absent";
  if (tracked === undefined) return undefined;
  if (tracked === "absent") return command.kind === "addTable" ? { chains: new Map(), sets: new Map() } : "absent";
  const { chains, sets } = tracked;
  switch (command.kind) {
    case "addTable":
      break;
    case "addChain":
      if (!chains.has(command.chain)) chains.set(command.chain, 0);
      break;
    case "addRule":
      chains.set(command.chain, (chains.get(command.chain) ?? 0) + 1);
      break;
    case "addSet":
      if (!sets.has(command.set.name)) sets.set(command.set.name, isCounted(command.set) ? 0 : undefined);
      break;
    case "addElements":
    case "deleteElements": {
      const count = sets.get(command.set.name);
      const change = command.kind === "addElements" ? command.elements.length : -command.elements.length;
      if (count !== undefined) sets.set(command.set.name, count + change);
    }
  }
  return tracked;
}

/** Packets add elements to dynamic sets, and time removes them from others; a range of one type is two elements. */
function isCounted({ key, interval, timeoutMs, dynamic }: NftSet): boolean {
  return dynamic !== true && timeoutMs === undefined && !(interval === true && key.length === 1);
}
