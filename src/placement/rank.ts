/**
 * A number below 2^32 from node and address, the same everywhere: FNV-1a with a final mix (the finalizer of MurmurHash3), as
 * FNV alone leaves the high bits of short, similar texts alike. Ties are broken by it and never by order of arrival.
 */
export function rankOf(node: string, address: string): number {
  let hash = 0x811c9dc5;
  for (const text of [node, "\u0000", address]) {
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The nodes from the highest rank for this address down. */
export function byRank(nodes: readonly string[], address: string): string[] {
  const ranked = nodes.map((node) => ({ node, rank: rankOf(node, address) }));
  return ranked.sort((a, b) => b.rank - a.rank || (a.node < b.node ? -1 : 1)).map(({ node }) => node);
}
