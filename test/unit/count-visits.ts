interface Iteration {
  next: (...args: unknown[]) => unknown;
}

/** The objects whose `next` every iterator over a Map, a Set or an array uses. */
const prototypes = [new Map().values(), new Set().values(), [].values()].map(
  (iterator) => Object.getPrototypeOf(iterator) as Iteration,
);

/**
 * Counts how many entries of Maps, Sets and arrays are visited while the work runs: in `for ... of`, in copies (`[...map.values()]`)
 * and in what is built from them. A figure of work and not of time, so that a test can compare two of them.
 *
 * It patches `next` of the built-in iterator prototypes and puts it back afterwards. While the work runs this holds for the whole
 * process: nothing else may run beside it in the same test file, and two calls must not overlap. It does not see visits that use no
 * iterator: `forEach`, `map`, `filter`, `find` and the like on arrays, loops by index, and `Map.forEach`. A cost that is only in
 * these stays uncounted, so the figure is a lower bound.
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
