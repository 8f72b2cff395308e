const text = process.env.PATIENCE ?? "1";
const factor = Number(text);
if (!(factor >= 1 && factor <= 100)) throw new Error(`PATIENCE is a factor from 1 to 100, not ${text}`);

/**
 * How long a test waits at most for an answer or an event, in milliseconds or attempts. The numbers in the tests are for a usual machine. Where QEMU translates
 * instructions, `test/kernels` sets PATIENCE to a factor that all of them are multiplied by. Without it they stay as they are.
 */
export function patiently(limit: number): number {
  return limit * factor;
}
