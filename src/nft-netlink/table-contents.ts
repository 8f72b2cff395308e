/** A table of nf_tables. */
export interface TableName {
  /** One of `netfilterFamilies`. */
  readonly family: number;
  readonly name: string;
}

/** How much is in a table: what tells that something else changed it, and is cheap to read. Plain data. */
export interface TableContents {
  /** The kernel's number of the table: one that was deleted and made again has another. Undefined: not known, and not compared. */
  readonly handle?: bigint | undefined;
  /** Chains, sets and maps together, as the kernel counts them. */
  readonly objects: number;
  /** Rules in each chain; chains without rules may be missing. */
  readonly rules: ReadonlyMap<string, number>;
  /** Elements of each set; a set that is missing is not compared. */
  readonly elements: ReadonlyMap<string, number>;
}

/**
 * The first difference between what should be in a table and what is, in words; undefined if there is none. `found` undefined: there is no such
 * table. Sets are compared only where the kernel counts elements.
 */
export function contentsDifference(expected: TableContents, found: TableContents | undefined): string | undefined {
  if (found === undefined) return "the table is gone";
  if (expected.handle !== undefined && expected.handle !== found.handle) return "the table was deleted and made again";
  for (const [chain, count] of expected.rules) {
    const present = found.rules.get(chain) ?? 0;
    if (present !== count) return `chain ${chain} has ${present} rules instead of ${count}`;
  }
  for (const [chain, count] of found.rules) {
    if (count > 0 && !expected.rules.has(chain)) return `chain ${chain} was added`;
  }
  for (const [set, count] of expected.elements) {
    const present = found.elements.get(set);
    if (present !== undefined && present !== count) return `set ${set} has ${present} elements instead of ${count}`;
  }
  if (expected.objects !== found.objects)
    return `the table has ${found.objects} chains and sets instead of ${expected.objects}`;
  return undefined;
}
