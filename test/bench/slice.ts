import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Api } from "../e2e/api.ts";
import { createService } from "../e2e/workload.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { installProduct } from "../product/install.ts";
import { withBenchLab } from "./bench-lab.ts";
import { stages } from "./first-answer/time-line.ts";
import { measureRest } from "./rest.ts";
import { extractVersion, presentVersion, type Version } from "./services/version.ts";
import { type CreatedService, createServices } from "./slice/created-services.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * The figures of one Service on an idle cluster of three nodes: how soon it has an address, how soon it answers and what happens until then,
 * how fast ARP is answered, and what the programs cost at rest. Run it with `npm run bench -- slice [trials] [--before REF] [--rounds N]`; it
 * makes a lab of its own. With `--before`, that commit and the working tree are installed in turn, `--rounds` times each, and only the
 * Services are measured.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { before: { type: "string", default: "none" }, rounds: { type: "string", default: "1" } },
});
const trials = wholeNumber("trials", positionals[0] ?? "20", { from: 1, to: 10_000 });
const rounds = wholeNumber("--rounds", options.rounds, { from: 1, to: 1_000 });
const idleSeconds = 30;

const paths = [
  ["through NodePorts", {}],
  ["straight to pods", { allocateLoadBalancerNodePorts: false }],
] as const;
const progress = showProgress(process.stderr);

/** By version and path. */
const created = new Map<string, CreatedService[]>();

async function measureServices(api: Api, version: Version): Promise<void> {
  for (const [path, spec] of paths) {
    const title = `${path}, ${version.name}`;
    // The first Services of a process are slower, because its code is not compiled yet.
    await createServices(api, spec, 2);
    const rows = await progress.step(`${trials} Services ${title}`, () => createServices(api, spec, trials));
    created.set(title, [...(created.get(title) ?? []), ...rows]);
  }
  process.stdout.write(`load average after ${version.name}: ${loadavg()[0]?.toFixed(1)}\n`);
}

function printServices(): void {
  for (const [title, rows] of created) {
    print(`Service created → EXTERNAL-IP, ${title}, ms`, spreadOf(rows.map((row) => row.addressMs)));
    print(`Service created → first good answer, ${title}, ms`, spreadOf(rows.map((row) => row.answerMs)));
  }
  for (const [title, rows] of created) {
    process.stdout.write(`\n| ${title} | ms after the request |\n| --- | --- |\n`);
    for (const stage of stages) {
      const times = rows.flatMap(({ timeLine }) => timeLine[stage] ?? []);
      process.stdout.write(`| ${stage} | ${times.length === 0 ? "not seen" : formatSpread(spreadOf(times))} |\n`);
    }
  }
}

async function measureIdleCluster(api: Api): Promise<void> {
  await createService(api, "kept", { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] });
  const [address = ""] = await api.waitForAddresses("kept");
  print("ARP reply time, ms", spreadOf(await progress.step("ARP", () => measureArp(api.lab, address))), 3);
  await progress.step(`${idleSeconds} s of rest`, async () => {
    await sleep(10_000);
    const figures = await measureRest(api.lab, idleSeconds);
    for (const component of ["controller", "speaker"] as const) {
      const { residentMiB, anonymousMiB, cpuPercent } = figures[component];
      print(`${component}: resident memory, MiB`, spreadOf(residentMiB));
      print(`${component}: of that private (anonymous), MiB`, spreadOf(anonymousMiB));
      print(`${component}: CPU at rest, % of a core`, spreadOf(cpuPercent), 2);
    }
  });
}

function print(title: string, spread: ReturnType<typeof spreadOf>, digits = 0): void {
  process.stdout.write(`${title}: ${formatSpread(spread, digits)}\n`);
}

/** Reply times as arping prints them, in ms, at ten requests a second. */
async function measureArp(lab: Lab, address: string): Promise<readonly number[]> {
  const { stdout } = await lab.exec("client", ["arping", "-c", "100", "-W", "0.1", "-i", "eth0", address], {
    timeoutMs: 60_000,
  });
  return [...stdout.matchAll(/time=([\d.]+) (usec|msec)/g)].map(([, value, unit]) =>
    unit === "usec" ? Number(value) / 1000 : Number(value),
  );
}

const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
try {
  await withBenchLab(progress, async (api) => {
    if (options.before === "none") {
      await measureServices(api, presentVersion);
      printServices();
      await measureIdleCluster(api);
      return;
    }
    const before = await extractVersion(options.before, folder);
    for (let round = 1; round <= rounds; round++) {
      for (const version of [before, presentVersion]) {
        await installProduct(api.lab, progress, version.checkout);
        // Speakers that were replaced hear each other again, and the new leader leads.
        await sleep(10_000);
        await measureServices(api, version);
      }
    }
    printServices();
  });
} finally {
  rmSync(folder, { recursive: true });
}
