/**
 * Runs a program of this folder: its options are JSON in the first argument, it ends with its input, and its report is one line of JSON. It may
 * say before that it is ready.
 */
export async function runProbe<Options, Report>(
  work: (options: Options, stopped: () => boolean, ready: () => void) => Promise<Report>,
): Promise<void> {
  let stopped = false;
  process.stdin.on("end", () => {
    stopped = true;
  });
  process.stdin.resume();
  const options = JSON.parse(process.argv[2] ?? "{}") as Options;
  const report = await work(
    options,
    () => stopped,
    () => process.stdout.write("ready\n"),
  );
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
}
