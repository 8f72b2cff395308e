/**
 * A number below 2^32 from node and address, the same everywhere: FNV-1a with a final mix (the finalizer of MurmurHash3), as
 * FNV alone leaves the high bits of short, similar texts alike. Ties are broken by it and never by order of arrival.
 */
export function rankOf(node: string, address: string): number {
  return rankFrom(seedOf(node), address);
}

/** The part of a rank that depends on the node alone: many addresses are ranked for one node. */
export function seedOf(node: string): number {
  return Math.imul(hashOn(fnvOffset, node), fnvPrime);
}

/** `rankFrom(seedOf(node), address)` is `rankOf(node, address)`. */
export function rankFrom(seed: number, address: string): number {
  let hash = hashOn(seed, address);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

function hashOn(seed: number, text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), fnvPrime);
  return hash;
}
