/** How many addresses each node is first owner of, and which nodes would take over how many of them. */
export class OwnerCounts {
  readonly #base: OwnerCounts | undefined;
  readonly #first = new Map<string, number>();
  /** By first owner, then by the next one. */
  readonly #next = new Map<string, Map<string, number>>();

  /** Counts on top of `base`, which it does not change. */
  constructor(base?: OwnerCounts) {
    this.#base = base;
  }

  /** How many addresses each node is first owner of, without those of the base. */
  get first(): ReadonlyMap<string, number> {
    return this.#first;
  }

  firstOf(node: string): number {
    return (this.#base?.firstOf(node) ?? 0) + (this.#first.get(node) ?? 0);
  }

  /** How many addresses go to `next` when `first` dies. */
  nextOf(first: string, next: string): number {
    return (this.#base?.nextOf(first, next) ?? 0) + (this.#next.get(first)?.get(next) ?? 0);
  }

  add(owners: readonly string[]): void {
    this.addFirst(owners[0], 1);
    this.addNext(owners, 1);
  }

  remove(owners: readonly string[]): void {
    this.addFirst(owners[0], -1);
    this.addNext(owners, -1);
  }

  clear(): void {
    this.#first.clear();
    this.#next.clear();
  }

  addFirst(node: string | undefined, change: 1 | -1): void {
    if (node !== undefined) count(this.#first, node, change);
  }

  addNext([first, next]: readonly string[], change: 1 | -1): void {
    if (first === undefined || next === undefined) return;
    const counts = this.#next.get(first) ?? new Map<string, number>();
    count(counts, next, change);
    if (counts.size > 0) this.#next.set(first, counts);
    else this.#next.delete(first);
  }
}

function count(counts: Map<string, number>, node: string, change: 1 | -1): void {
  const after = (counts.get(node) ?? 0) + change;
  if (after === 0) counts.delete(node);
  else counts.set(node, after);
}
