/** How many buckets each endpoint has at least, so that their shares differ little: with 16 by about a quarter. */
const bucketsPerEndpoint = 16;

/** At most so many, so that the memory and the time of one Service are bounded; beyond 1,024 endpoints each has fewer. */
const maxBuckets = 16_384;

/** How many buckets so many endpoints share: a power of two, so that it rarely changes; for a single endpoint one. */
export function bucketCountOf(endpoints: number): number {
  if (endpoints <= 1) return endpoints;
  return Math.min(maxBuckets, 2 ** Math.ceil(Math.log2(endpoints * bucketsPerEndpoint)));
}

/**
 * Gives each bucket to one of the endpoints by rendezvous hashing (Thaler and Ravishankar, 1998): the endpoint whose hash with the bucket is the highest.
 * An endpoint that goes loses its buckets, and no other bucket changes; a new one takes its share. When the number of buckets doubles, half of
 * them keep their endpoint. Returns the index of the endpoint for each bucket. Every node computes the same. O(buckets × endpoints).
 */
export function assignBuckets(endpoints: readonly string[], seed: number): readonly number[] {
  const count = bucketCountOf(endpoints.length);
  const hashes = Uint32Array.from(endpoints, (text) => hashText(text, seed));
  return Array.from({ length: count }, (_, bucket) => {
    // Where the bucket begins in the range of all hashes: the first half of a bucket that is divided keeps its hash.
    const start = mix(Math.floor((bucket / count) * 2 ** 32));
    let best = 0;
    let highest = -1;
    for (let index = 0; index < hashes.length; index++) {
      const weight = mix((hashes[index] ?? 0) ^ start);
      if (weight > highest) [best, highest] = [index, weight];
    }
    return best;
  });
}

/** FNV-1a of 32 bits (offset basis and prime by Fowler, Noll and Vo), mixed. */
function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3 (fmix32, Appleby): every bit of the input changes about half of the bits of the result. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
