import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { showProgress } from "../lab/progress.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { SmallCluster } from "./first-answer/small-cluster.ts";
import { type Stage, stages } from "./first-answer/time-line.ts";
import { extractVersion, presentVersion } from "./services/version.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * Where the time goes from the creation of a Service to its first answer, without the cluster's share: `npm run bench -- first-answer
 * [trials] [--before REF] [--rounds N]`. Needs root and nftables: controller, speaker, pod and client are programs in network namespaces with
 * the real kernel, and the API server is one in memory. With `--before`, that commit and the working tree run in turn. `npm run bench -- slice`
 * measures the same in a cluster.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { before: { type: "string", default: "none" }, rounds: { type: "string", default: "1" } },
});
const trials = wholeNumber("trials", positionals[0] ?? "10", { from: 1, to: 10_000 });
const rounds = wholeNumber("--rounds", options.rounds, { from: 1, to: 1_000 });
const progress = showProgress(process.stderr);
const paths = [
  ["through NodePorts", { nodePort: 30080 }],
  ["straight to pods", {}],
] as const;
const measured = new Map<string, Readonly<Partial<Record<Stage, number>>>[]>();

const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
try {
  const before = options.before === "none" ? [] : [await extractVersion(options.before, folder)];
  for (const { checkout } of before)
    symlinkSync(join(presentVersion.checkout, "node_modules"), join(checkout, "node_modules"));
  for (let round = 1; round <= rounds; round++) {
    for (const version of [...before, presentVersion]) {
      const cluster = await SmallCluster.start(version);
      try {
        // The first Services of a process are slower, because its code is not compiled yet.
        await cluster.createServices({}, 2);
        for (const [path, port] of paths) {
          const title = `${path}, ${version.name}`;
          const rows = await progress.step(`${trials} Services ${title}`, () => cluster.createServices(port, trials));
          measured.set(title, [...(measured.get(title) ?? []), ...rows]);
        }
      } finally {
        cluster.end();
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.stdout.write(`load average at the end: ${loadavg()[0]?.toFixed(1)}\n`);
for (const [title, rows] of measured) {
  process.stdout.write(`\n| ${title} | ms after the request |\n| --- | --- |\n`);
  for (const stage of stages) {
    const times = rows.flatMap((row) => row[stage] ?? []);
    process.stdout.write(`| ${stage} | ${times.length === 0 ? "not seen" : formatSpread(spreadOf(times))} |\n`);
  }
}
