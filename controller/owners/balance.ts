/** One address and the nodes that may be its first owner. */
export interface BalanceItem {
  readonly name: string;
  /** The present first owner. */
  readonly owner: string;
  /** Sorted; contains `owner`. Use the same array for items with the same choices. */
  readonly choices: readonly string[];
}

/**
 * Balances how many addresses each node is first owner of, by the fewest moves. As long as a chain of moves leads from a node to one with
 * at least two addresses less, the shortest such chain is carried out. When none is left, no assignment of these addresses is more even
 * (a semi-matching without cost-reducing path: Harvey, Ladner, Lovász, Tamir, "Semi-matchings for bipartite graphs and load balancing",
 * 2006). Returns the new owner of each address that moves. Yields after each chain.
 */
export function* balance(items: readonly BalanceItem[]): Generator<void, ReadonlyMap<string, string>> {
  const state = new BalanceState(items);
  for (let load = state.mostLoad; load >= state.leastLoad + 2; load--) {
    for (const node of state.nodesWith(load)) {
      state.reduce(node);
      yield;
    }
  }
  return state.moved;
}

/** Addresses with the same choices, which can replace each other in a chain. Nodes are numbered in the order of their names. */
interface Group {
  readonly choices: Int32Array;
  /** Names by present owner. The last one moves first. */
  readonly held: Map<number, string[]>;
  /** The last search that has looked at its choices. */
  search: number;
}

/** One address of a group goes from its present owner to another node. */
interface Move {
  readonly from: number;
  readonly to: number;
  readonly group: Group;
}

class BalanceState {
  readonly #names: readonly string[];
  readonly #groupsHeldBy: readonly Set<Group>[];
  readonly #loads: Int32Array;
  readonly #byLoad = new Map<number, Set<number>>();
  /** 1 for a node that no chain can reduce, now or later. */
  readonly #settled: Uint8Array;
  readonly #start = new Map<string, string>();
  readonly #now = new Map<string, string>();
  /** By node: the last search that has reached it, and by which move. */
  readonly #reached: Int32Array;
  readonly #reachedFrom: Int32Array;
  readonly #reachedBy: (Group | undefined)[];
  #search = 0;
  #leastLoad = 0;

  constructor(items: readonly BalanceItem[]) {
    const choices = new Set(items.map((item) => item.choices));
    const names = new Set<string>();
    for (const list of choices) for (const name of list) names.add(name);
    this.#names = [...names].sort();
    const size = this.#names.length;
    this.#groupsHeldBy = this.#names.map(() => new Set());
    this.#loads = new Int32Array(size);
    this.#settled = new Uint8Array(size);
    this.#reached = new Int32Array(size);
    this.#reachedFrom = new Int32Array(size);
    this.#reachedBy = new Array(size);
    this.#hold(items, new Map(this.#names.map((name, node) => [name, node])));
    for (let node = 0; node < size; node++) this.#withLoad(this.#loads[node] as number).add(node);
  }

  #hold(items: readonly BalanceItem[], nodes: ReadonlyMap<string, number>): void {
    const groups = new Map<readonly string[], Group>();
    for (const { name, owner, choices } of [...items].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      let group = groups.get(choices);
      if (group === undefined) {
        group = { choices: Int32Array.from(choices, (node) => nodes.get(node) as number), held: new Map(), search: 0 };
        groups.set(choices, group);
      }
      const node = nodes.get(owner) as number;
      this.#give(group, node, name);
      this.#start.set(name, owner);
      this.#loads[node] = (this.#loads[node] as number) + 1;
    }
  }

  get moved(): ReadonlyMap<string, string> {
    return new Map([...this.#now].filter(([name, owner]) => this.#start.get(name) !== owner));
  }

  get mostLoad(): number {
    return this.#loads.reduce((most, load) => Math.max(most, load), 0);
  }

  /** Never falls, because a chain ends at a node that has at least two less than the node where it starts. */
  get leastLoad(): number {
    while (this.#leastLoad < this.#mostPossible && this.#withLoad(this.#leastLoad).size === 0) this.#leastLoad++;
    return this.#leastLoad;
  }

  get #mostPossible(): number {
    return this.#start.size;
  }

  nodesWith(load: number): readonly number[] {
    return [...this.#withLoad(load)].sort((left, right) => left - right);
  }

  /** Carries out the shortest chain that takes one address from the node, if there is one. */
  reduce(source: number): void {
    if (this.#settled[source] === 1) return;
    const path = this.#findPath(source);
    if (path.length === 0) return;
    for (const { from, to, group } of path) {
      const name = group.held.get(from)?.pop();
      if (name === undefined) continue;
      if (group.held.get(from)?.length === 0) {
        group.held.delete(from);
        this.#groupsHeldBy[from]?.delete(group);
      }
      this.#give(group, to, name);
      this.#now.set(name, this.#names[to] as string);
    }
    this.#changeLoad(source, -1);
    this.#changeLoad(path.at(-1)?.to ?? source, 1);
  }

  #changeLoad(node: number, change: 1 | -1): void {
    const before = this.#loads[node] as number;
    this.#withLoad(before).delete(node);
    this.#loads[node] = before + change;
    this.#withLoad(before + change).add(node);
  }

  #withLoad(load: number): Set<number> {
    let nodes = this.#byLoad.get(load);
    if (nodes === undefined) {
      nodes = new Set();
      this.#byLoad.set(load, nodes);
    }
    return nodes;
  }

  #give(group: Group, node: number, name: string): void {
    const names = group.held.get(node) ?? [];
    names.push(name);
    group.held.set(node, names);
    this.#groupsHeldBy[node]?.add(group);
  }

  /**
   * Breadth first, so that the chain is the shortest. Of the ends at the same distance it picks the least loaded. If there is none, no node
   * that was reached can ever be reduced: chains from these nodes end at these nodes, none of which has two less than the source.
   */
  #findPath(source: number): readonly Move[] {
    const search = ++this.#search;
    const limit = (this.#loads[source] as number) - 2;
    this.#reached[source] = search;
    this.#reachedBy[source] = undefined;
    let frontier = [source];
    while (frontier.length > 0) {
      const next = this.#step(frontier, search);
      const end = this.#leastLoaded(next, limit);
      if (end !== undefined) return this.#traceBack(end);
      frontier = next;
    }
    for (const [node, reached] of this.#reached.entries()) if (reached === search) this.#settled[node] = 1;
    return [];
  }

  /** The first by name of the nodes with the least load, if that is at most the limit. */
  #leastLoaded(nodes: readonly number[], limit: number): number | undefined {
    const loads = this.#loads;
    let found: number | undefined;
    let least = limit + 1;
    for (const node of nodes) {
      const load = loads[node] as number;
      if (load > least || (load === least && (found === undefined || node > found))) continue;
      found = node;
      least = load;
    }
    return found;
  }

  /** The nodes that are one move away from the frontier, and not closer. */
  #step(frontier: readonly number[], search: number): number[] {
    const next: number[] = [];
    const [reached, reachedFrom, reachedBy] = [this.#reached, this.#reachedFrom, this.#reachedBy];
    for (const from of frontier) {
      for (const group of this.#groupsHeldBy[from] ?? []) {
        if (group.search === search) continue;
        group.search = search;
        const { choices } = group;
        for (let index = 0; index < choices.length; index++) {
          const to = choices[index] as number;
          if (reached[to] === search) continue;
          reached[to] = search;
          reachedFrom[to] = from;
          reachedBy[to] = group;
          next.push(to);
        }
      }
    }
    return next;
  }

  #traceBack(end: number): readonly Move[] {
    const path: Move[] = [];
    let to = end;
    for (let group = this.#reachedBy[to]; group !== undefined; group = this.#reachedBy[to]) {
      const from = this.#reachedFrom[to] as number;
      path.unshift({ from, to, group });
      to = from;
    }
    return path;
  }
}
