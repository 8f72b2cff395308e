/** One address and the nodes that may be its first owner. */
export interface BalanceItem {
  readonly name: string;
  /** The present first owner. */
  readonly owner: string;
  /** Sorted; contains `owner`. */
  readonly choices: readonly string[];
}

/**
 * Balances how many addresses each node is first owner of, by the fewest moves. As long as a chain of moves leads from a node to one with
 * at least two addresses less, the shortest such chain is carried out. When none is left, no assignment of these addresses is more even
 * (a semi-matching without cost-reducing path: Harvey, Ladner, Lovász, Tamir, "Semi-matchings for bipartite graphs and load balancing",
 * 2006). Returns the new owner of each address that moves.
 */
export function balance(items: readonly BalanceItem[]): ReadonlyMap<string, string> {
  const state = new BalanceState(items);
  for (let source = state.nextReducible(); source !== undefined; source = state.nextReducible()) state.move(source);
  return state.moved;
}

/** Addresses with the same choices, which can replace each other in a chain. */
interface Group {
  readonly choices: readonly string[];
  /** Names by present owner. The last one moves first. */
  readonly held: Map<string, string[]>;
}

interface Step {
  readonly from: string;
  readonly to: string;
  readonly group: Group;
}

class BalanceState {
  readonly #groupsHeldBy = new Map<string, Set<Group>>();
  readonly #loads = new Map<string, number>();
  readonly #start = new Map<string, string>();
  readonly #now = new Map<string, string>();
  #path: readonly Step[] = [];

  constructor(movables: readonly BalanceItem[]) {
    const groups = new Map<string, Group>();
    for (const { name, owner, choices } of [...movables].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const key = choices.join(",");
      const group = groups.get(key) ?? { choices, held: new Map() };
      groups.set(key, group);
      this.#assign(group, owner, name);
      this.#start.set(name, owner);
      for (const node of choices) if (!this.#loads.has(node)) this.#loads.set(node, 0);
      this.#loads.set(owner, (this.#loads.get(owner) ?? 0) + 1);
    }
  }

  get moved(): ReadonlyMap<string, string> {
    return new Map([...this.#now].filter(([name, owner]) => this.#start.get(name) !== owner));
  }

  /** The most loaded node from which a chain of moves leads to one with at least two less. Undefined: the assignment is balanced. */
  nextReducible(): string | undefined {
    const nodes = [...this.#loads].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const least = nodes.at(-1)?.[1] ?? 0;
    for (const [node, load] of nodes) {
      if (load < least + 2) return undefined;
      this.#path = this.#findPath(node, load);
      if (this.#path.length > 0) return node;
    }
    return undefined;
  }

  /** Carries out the chain that `nextReducible` has found for this node. */
  move(source: string): void {
    for (const { from, to, group } of this.#path) {
      const name = group.held.get(from)?.pop();
      if (name === undefined) continue;
      if (group.held.get(from)?.length === 0) this.#groupsHeldBy.get(from)?.delete(group);
      this.#assign(group, to, name);
      this.#now.set(name, to);
    }
    const target = this.#path.at(-1)?.to ?? source;
    this.#loads.set(source, (this.#loads.get(source) ?? 0) - 1);
    this.#loads.set(target, (this.#loads.get(target) ?? 0) + 1);
  }

  #assign(group: Group, owner: string, name: string): void {
    const names = group.held.get(owner) ?? [];
    names.push(name);
    group.held.set(owner, names);
    const groups = this.#groupsHeldBy.get(owner) ?? new Set();
    groups.add(group);
    this.#groupsHeldBy.set(owner, groups);
  }

  /** Breadth first, so that the chain is the shortest. Of the ends at the same distance it picks the least loaded. */
  #findPath(source: string, sourceLoad: number): readonly Step[] {
    const cameBy = new Map<string, Step | undefined>([[source, undefined]]);
    let frontier = [source];
    while (frontier.length > 0) {
      const next: string[] = [];
      for (const from of frontier) {
        for (const group of this.#groupsHeldBy.get(from) ?? []) {
          for (const to of group.choices) {
            if (cameBy.has(to)) continue;
            cameBy.set(to, { from, to, group });
            next.push(to);
          }
        }
      }
      const ends = next.filter((node) => (this.#loads.get(node) ?? 0) <= sourceLoad - 2);
      const end = ends.sort((a, b) => (this.#loads.get(a) ?? 0) - (this.#loads.get(b) ?? 0) || (a < b ? -1 : 1))[0];
      if (end !== undefined) return traceBack(cameBy, end);
      frontier = next;
    }
    return [];
  }
}

function traceBack(cameBy: ReadonlyMap<string, Step | undefined>, end: string): readonly Step[] {
  const path: Step[] = [];
  for (let step = cameBy.get(end); step !== undefined; step = cameBy.get(step.from)) path.unshift(step);
  return path;
}
