/** Minimum, median and maximum of some trials. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly trials: number;
}

/** Throws when there is no value: a bench without a trial has measured nothing. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new RangeError("no trial, no figure");
  const upper = sorted[Math.floor(sorted.length / 2)] ?? max;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? min;
  return { min, median: (lower + upper) / 2, max, trials: sorted.length };
}

/** `min / median / max (n=trials)`, each with that many digits. */
export function formatSpread(spread: Spread, digits = 0): string {
  const [min, median, max] = [spread.min, spread.median, spread.max].map((value) => value.toFixed(digits));
  return `${min} / ${median} / ${max} (n=${spread.trials})`;
}
