/** The most probes of one search; where that many do not find the cause, no single item is the cause. */
const maxProbes = 500;

/**
 * Finds the items that are refused, by bisection: items of which `accepts` says that they are accepted together are innocent. Returns none if
 * only several together are refused, or if there are so many that the search does not end within 500 probes.
 */
export async function findRefused<Item>(
  items: readonly Item[],
  accepts: (items: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let probes = 0;
  const search = async (part: readonly Item[]): Promise<readonly Item[]> => {
    probes += 1;
    if (part.length === 0 || probes > maxProbes || (await accepts(part))) return [];
    if (part.length === 1) return part;
    const middle = Math.ceil(part.length / 2);
    const first = await search(part.slice(0, middle));
    return [...first, ...(await search(part.slice(middle)))];
  };
  const found = await search(items);
  return probes > maxProbes ? [] : found;
}
