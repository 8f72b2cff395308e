/** FNV-1a (32 bits) over the text, then mixed as in MurmurHash3's finalizer, so that names which differ in one digit are far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** One order of all names, closed to a ring. */
interface Ring {
  readonly names: readonly string[];
  readonly places: ReadonlyMap<string, number>;
}

function ringOf(names: readonly string[], number: number): Ring {
  const hashed = names.map((name) => ({ name, place: hash(`${number}/${name}`) }));
  hashed.sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1));
  const ordered = hashed.map(({ name }) => name);
  return { names: ordered, places: new Map(ordered.map((name, place) => [name, place])) };
}

/**
 * All names in two orders that look random and are the same on all nodes. Each name has two neighbours in each. Two random rings are an
 * expander: news reaches 5,000 nodes in about ten steps.
 */
export class Rings {
  readonly #rings: readonly Ring[];

  constructor(names: Iterable<string>) {
    const all = [...new Set(names)];
    this.#rings = [ringOf(all, 0), ringOf(all, 1)];
  }

  /** The neighbours of a name: at most four, without itself; none of a name that is unknown. Neighbours are mutual. */
  neighboursOf(name: string): ReadonlySet<string> {
    const neighbours = new Set<string>();
    for (const { names, places } of this.#rings) {
      const place = places.get(name);
      if (place === undefined) continue;
      for (const step of [1, names.length - 1]) neighbours.add(names[(place + step) % names.length] ?? name);
    }
    neighbours.delete(name);
    return neighbours;
  }
}
