/** The source of time, an argument so that tests can control it. */
export interface Clock {
  /** Milliseconds of a clock that never jumps; only differences have a meaning. */
  monotonicMs(): number;
  /** Milliseconds since 1970, for times that users read; may jump. */
  wallMs(): number;
  /** Calls back once after `ms`; returns a function that cancels the call. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Returns a number in [0, 1), as Math.random does. */
export type Random = () => number;

/** Resolves after `ms`, or at once when the signal is aborted; never rejects. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** Resolves once the signal is aborted. Use it once for each signal: the listener is never removed. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Calls back repeatedly, first after `waitMs()` and then `waitMs()` after each call, until the signal is aborted. */
export function repeat(clock: Clock, waitMs: () => number, callback: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const turn = (): void => {
    cancel = clock.after(waitMs(), turn);
    callback();
  };
  let cancel = clock.after(waitMs(), turn);
  signal.addEventListener("abort", () => cancel(), { once: true });
}
