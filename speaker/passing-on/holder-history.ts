/** The nodes that may know connections to an address. */
export interface KnownHolders {
  /** The node that answers now; undefined: this one, or none is known. */
  readonly current: string | undefined;
  /** As in AddressHolders (speaker/dataplane/holders.ts). */
  readonly previous: readonly string[];
}

interface Entry {
  /** The other node that answers now. */
  current: string | undefined;
  /** Other nodes that have answered since this one last did, and before that; the last one first. */
  since: readonly string[];
  before: readonly string[];
}

/** How many nodes are remembered. */
const maxPrevious = 2;

/** Remembers for each address which nodes have answered for it. */
export class HolderHistory {
  readonly #entries = new Map<string, Entry>();

  /** This node begins to answer; `from`: the node that did before, if it is known. Returns whether anything has changed. */
  begun(address: string, from: string | undefined): boolean {
    const entry = this.#entry(address);
    const text = JSON.stringify(entry);
    if (from !== undefined) entry.since = latest(from, entry.since);
    entry.before = [...new Set([...entry.since, ...entry.before])].slice(0, maxPrevious);
    entry.since = [];
    entry.current = undefined;
    return JSON.stringify(entry) !== text;
  }

  /** Another node answers; undefined: none is known. Returns whether anything has changed. */
  heldBy(address: string, node: string | undefined): boolean {
    const entry = this.#entry(address);
    const changed = entry.current !== node;
    entry.current = node;
    if (node !== undefined) entry.since = latest(node, entry.since);
    return changed;
  }

  /** Begins with what is known from before: an earlier speaker of this node, or the status of the VirtualIP. Does nothing once there is anything else. */
  seed(address: string, current: string | undefined, previous: readonly string[]): boolean {
    if (this.#entries.has(address) || (current === undefined && previous.length === 0)) return false;
    const since = current === undefined ? [] : [current];
    const before = previous.filter((node) => node !== current).slice(0, maxPrevious);
    this.#entries.set(address, { current, since, before });
    return true;
  }

  has(address: string): boolean {
    return this.#entries.has(address);
  }

  forget(address: string): void {
    this.#entries.delete(address);
  }

  get addresses(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Undefined: no other node is known that has answered. */
  of(address: string): KnownHolders | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined || (entry.current === undefined && entry.since.length + entry.before.length === 0))
      return undefined;
    const { current, since, before } = entry;
    const others = (nodes: readonly string[]) => nodes.filter((node) => node !== current);
    const first = current === undefined ? [] : others(before).slice(0, 1);
    const previous = [...new Set([...first, ...others(since), ...others(before)])];
    return { current, previous: previous.slice(0, maxPrevious) };
  }

  /** The other nodes that answer or have answered, the one that answers first: as `previous` for the next speaker of this node. */
  toKeep(address: string): readonly string[] {
    const { current, previous = [] } = this.of(address) ?? {};
    return (current === undefined ? previous : [current, ...previous]).slice(0, maxPrevious);
  }

  #entry(address: string): Entry {
    const entry = this.#entries.get(address) ?? { current: undefined, since: [], before: [] };
    this.#entries.set(address, entry);
    return entry;
  }
}

function latest(node: string, others: readonly string[]): readonly string[] {
  return [node, ...others.filter((other) => other !== node)].slice(0, maxPrevious);
}
