import { NameIndex } from "../../src/index/name-index.ts";
import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { Element } from "./element.ts";
import { type AddressHolders, holderElements, withoutNodes } from "./holders.ts";

/** How long after a move new UDP flows are passed on, which costs each of them two more hops. */
const movedMs = 10 * 60_000;

/** The elements of one address. */
export interface HolderChange {
  readonly address: string;
  readonly elements: readonly Element[];
}

interface Entry {
  readonly address: IpAddress;
  /** As they were set; dead nodes among them count as missing. */
  readonly holders: AddressHolders;
  readonly current: string | undefined;
}

const nobody: AddressHolders = { current: undefined, previous: [] };

/**
 * Remembers the holders of each address, which of them are dead, and when this node began to answer. Each method returns the addresses
 * whose elements it may have changed. Times are monotonic.
 */
export class HolderIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #byNode = new NameIndex();
  /** By address: until when it counts as moved. In the order of these times. */
  readonly #movedUntil = new Map<string, number>();
  #dead: ReadonlySet<string> = new Set();

  /** When to call `expire`; undefined: never. */
  get nextDueMs(): number | undefined {
    for (const dueMs of this.#movedUntil.values()) return dueMs;
    return undefined;
  }

  /** Undefined: nothing is passed on for the address. */
  set(address: IpAddress, holders: AddressHolders | undefined, nowMs: number): readonly HolderChange[] {
    const key = formatAddress(address);
    const before = this.#entries.get(key);
    for (const node of nodesOf(before?.holders ?? nobody)) this.#byNode.delete(node, key);
    if (holders === undefined) {
      this.#entries.delete(key);
      this.#movedUntil.delete(key);
      return [{ address: key, elements: [] }];
    }
    for (const node of nodesOf(holders)) this.#byNode.add(node, key);
    return [this.#put(key, address, holders, nowMs)];
  }

  /** The nodes that are dead, all of them. */
  setDead(dead: ReadonlySet<string>, nowMs: number): readonly HolderChange[] {
    const changed = new Set<string>();
    for (const [nodes, others] of [
      [dead, this.#dead],
      [this.#dead, dead],
    ] as const)
      for (const node of nodes) if (!others.has(node)) for (const key of this.#byNode.of(node)) changed.add(key);
    this.#dead = dead;
    return [...changed].flatMap((key) => {
      const entry = this.#entries.get(key);
      return entry === undefined ? [] : this.#put(key, entry.address, entry.holders, nowMs);
    });
  }

  /** Ends what is over. */
  expire(nowMs: number): readonly HolderChange[] {
    const changes: HolderChange[] = [];
    for (const [key, dueMs] of this.#movedUntil) {
      if (dueMs > nowMs) break;
      this.#movedUntil.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined) changes.push(this.#render(key, entry));
    }
    return changes;
  }

  #put(key: string, address: IpAddress, holders: AddressHolders, nowMs: number): HolderChange {
    const before = this.#entries.get(key);
    const { current, previous } = withoutNodes(holders, this.#dead);
    const entry: Entry = { address, holders, current: current?.node };
    this.#entries.set(key, entry);
    // At the start it is not known since when this node answers.
    const began = current === undefined && (before === undefined ? previous.length > 0 : before.current !== undefined);
    if (began || current !== undefined) this.#movedUntil.delete(key);
    if (began) this.#movedUntil.set(key, nowMs + movedMs);
    return this.#render(key, entry);
  }

  #render(key: string, { address, holders }: Entry): HolderChange {
    const elements = holderElements(address, withoutNodes(holders, this.#dead), this.#movedUntil.has(key));
    return { address: key, elements };
  }
}

function nodesOf({ current, previous }: AddressHolders): ReadonlySet<string> {
  return new Set([...(current === undefined ? [] : [current]), ...previous].map(({ node }) => node));
}
