import type { Clock } from "./clock.ts";

/** Calls back again and again, each time `waitMs()` after the last call, until the signal is aborted; never at once. */
export function repeat(clock: Clock, waitMs: () => number, callback: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const turn = (): void => {
    cancel = clock.after(waitMs(), turn);
    callback();
  };
  let cancel = clock.after(waitMs(), turn);
  signal.addEventListener("abort", () => cancel(), { once: true });
}
