import { BellhopError } from "../error/error.ts";

/**
 * A second signal, or this long after the first, ends the process at once. Shorter than
 * terminationGracePeriodSeconds in deploy/base, which is 10 s.
 */
export const graceMs = 8_000;

/**
 * Runs a program until SIGTERM or SIGINT, waits until it has stopped, and sets the exit code: 1 for a failure, which is written to
 * standard error.
 */
export async function runUntilSignal(program: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const aborter = new AbortController();
  const stop = (): void => {
    if (aborter.signal.aborted) process.exit(1);
    aborter.abort();
    setTimeout(() => process.exit(1), graceMs).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  try {
    await work(aborter.signal);
  } catch (error) {
    process.exitCode = 1;
    const text =
      error instanceof BellhopError ? describeError(error) : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`bellhop ${program}: ${text}\n`);
  } finally {
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
  }
}

/** The message, followed by that of the cause unless it already contains it. */
export function describeError(error: BellhopError): string {
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
}
