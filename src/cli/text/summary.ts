/** More lines than this are summarised. */
const maxLines = 10;
const maxExamples = 3;

export interface Summary<Item> {
  /** What items have in common: items with the same text are summarised. */
  readonly groupOf: (item: Item) => string;
  readonly nameOf: (item: Item) => string;
  /** Whether it has a line of its own even among many. */
  readonly isNotable: (item: Item) => boolean;
  readonly line: (item: Item) => string;
  /** A line for a group of several; `example` is one of them, and `names` names some. */
  readonly groupLine: (group: readonly Item[], example: Item, names: string) => string;
}

/**
 * One line for each item. Among many: one for each notable item, then one for each group, small groups first, because what concerns
 * few is more telling than what concerns almost all.
 */
export function summarize<Item>(items: readonly Item[], summary: Summary<Item>): readonly string[] {
  const { groupOf, nameOf, isNotable, line, groupLine } = summary;
  if (items.length <= maxLines) return items.map(line);
  const groups = Map.groupBy(
    items.filter((item) => !isNotable(item)),
    groupOf,
  );
  const lines = [...groups.values()]
    .sort((one, other) => one.length - other.length)
    .map((group) => {
      const first = group[0] as Item;
      const names = group.slice(0, maxExamples).map(nameOf).join(", ");
      return group.length === 1 ? line(first) : groupLine(group, first, names);
    });
  return [...items.filter(isNotable).map(line), ...lines];
}
