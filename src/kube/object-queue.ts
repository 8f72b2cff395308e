import type { Clock, Random } from "../clock/clock.ts";
import type { Logger } from "../log/log.ts";
import { Queue, type WorkResult } from "../queue/queue.ts";
import { ApiError, isConflict } from "./api-error.ts";

export interface ObjectQueueOptions {
  /** Kind of the objects, for the log. */
  readonly kind: string;
  /** How many objects may be written at once. */
  readonly workers: number;
  /** Brings the object of this name up to date. If it throws, the name is retried later. */
  readonly handle: (name: string) => Promise<WorkResult>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A queue of names of API objects to write. Conflicts are retried without a log line: the watch delivers what the other client wrote. */
export function createObjectQueue({ kind, workers, handle, clock, random, log }: ObjectQueueOptions): Queue<string> {
  return new Queue({
    workers,
    handle,
    onFailure: (object, error, retryMs) => {
      if (isConflict(error)) return;
      log.warn(
        { kind, object, retryMs: Math.round(retryMs), err: error },
        "an object could not be written; trying again",
      );
    },
    retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
    clock,
    random,
  });
}
