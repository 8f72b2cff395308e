/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonicMs(): number;
  /** Milliseconds since 1970, for what people read; may jump. */
  wallMs(): number;
  /** Calls back once after `ms`; the answer cancels it. */
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

/** A number from 0 up to but without 1, as Math.random gives. */
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

/** Resolves once the signal is aborted. Meant for a signal that is waited for once: what waits stays with the signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

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
