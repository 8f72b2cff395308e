interface Iteration {
  next: (...args: unknown[]) => unknown;
}

/** The objects whose `next` every iterator over a Map, a Set or an array uses. */
const prototypes = [new Map().values(), new Set().values(), [].values()].map(
  (iterator) => Object.getPrototypeOf(iterator) as Iteration,
);

/**
 * Counts how many entries of Maps, Sets and arrays are looked at while the work runs: in loops, in copies (`[...map.values()]`) and in what
 * is built from them. A figure of work and not of time, so that a test can hold it against another one.
 */
export async function countVisits(work: () => Promise<void>): Promise<number> {
  let visits = 0;
  const originals = prototypes.map(({ next }) => next);
  for (const [index, prototype] of prototypes.entries()) {
    const next = originals[index] as Iteration["next"];
    prototype.next = function (...args) {
      visits++;
      return next.apply(this, args);
    };
  }
  try {
    await work();
  } finally {
    for (const [index, prototype] of prototypes.entries()) prototype.next = originals[index] as Iteration["next"];
  }
  return visits;
}
