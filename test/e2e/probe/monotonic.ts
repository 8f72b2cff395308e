/** CLOCK_MONOTONIC in milliseconds: the same clock in all processes of the machine, in whatever namespace, and never set. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
