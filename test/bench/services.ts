import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createSpeaker } from "../e2e/faults/bare-lab.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { waitFor } from "../lab/wait.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { installProduct, productNamespace } from "../product/install.ts";
import { readClusterCpu } from "./cluster-cpu.ts";
import { loadNamespace as namespace, ServiceLoad } from "./service-load.ts";
import { readServiceWrites } from "./services/api-server-metrics.ts";
import { measureBurst, rest, waitForLeader, writeTimes } from "./services/burst.ts";
import { PairedFigures } from "./services/paired-figures.ts";
import { extractVersion, presentVersion, type Version } from "./services/version.ts";

/**
 * How many Services per second get an address, and what one costs, beside the version before: `npm run bench -- services [--before REF]
 * [--trials N] [--burst N] [--waiting N]`. Both versions are installed in turn in the same lab of one node, so that the machine is the same
 * for both. `--before none` measures only this version. Three figures:
 *
 * - `created`: Services that are created at once, three times in each trial;
 * - `waiting`: Services that wait for a pool, until it is created. Nothing else is done meanwhile;
 * - `floor`: the two writes of each Service alone, sent by a program that does nothing else. No controller runs.
 */
const { values: options } = parseArgs({
  options: {
    before: { type: "string", default: "e1723a5" },
    trials: { type: "string", default: "3" },
    burst: { type: "string", default: "300" },
    waiting: { type: "string", default: "1500" },
  },
});
const trials = wholeNumber("--trials", options.trials, { from: 1, to: 1_000 });
const burst = wholeNumber("--burst", options.burst, { from: 1, to: 65_000 });
const waiting = wholeNumber("--waiting", options.waiting, { from: 1, to: 65_000 });
const burstsPerTrial = 3;
/** As many Services as the controller works on at once. */
const workers = 16;
/** Of the writes one after the other, this many say enough. */
const oneByOne = 100;
const progress = showProgress(process.stderr);
const figures = new PairedFigures();

function note(version: Version, what: string, measured: ReadonlyMap<string, number>): void {
  for (const [title, value] of measured) figures.note(version.name, `${what}: ${title}`, value);
}

/** Removes the other version with its kinds, and installs this one. The speakers are removed: what they cost is another question. */
async function install(lab: Lab, version: Version, previous: Version | undefined): Promise<void> {
  if (previous !== undefined && previous !== version) {
    const argv = ["delete", "--ignore-not-found", "--wait", "-k", join(previous.checkout, "deploy/base")];
    await progress.step(`remove ${previous.name}`, () => lab.kubectl(argv, undefined, 120_000));
  }
  await installProduct(lab, progress, version.checkout);
  await lab.kubectl(["-n", productNamespace, "delete", "daemonset/bellhop-speaker", "--cascade=foreground"]);
  await createSpeaker(lab);
  await waitForLeader(lab);
  await rest();
}

async function runTrial(lab: Lab, version: Version): Promise<void> {
  const load = new ServiceLoad(lab);
  await load.prepare();
  for (let time = 0; time <= burstsPerTrial; time++) {
    const measured = await measureBurst(lab, namespace, burst, () => load.create(0, burst));
    // The first Services of a process are slower, because its code is not compiled yet.
    if (time > 0) note(version, `${burst} created`, measured);
    await load.check(burst);
    await load.deleteAll();
  }
  await load.deletePool();
  await progress.step(`create ${waiting} Services`, () => load.create(0, waiting));
  note(version, `${waiting} waiting`, await measureBurst(lab, namespace, waiting, () => load.createPool()));
  await load.check(waiting);
  await progress.step("delete the Services", () => load.deleteAll());
  await load.deletePool();
}

/** The two writes of each Service without a controller: 16 Services at once, then one at a time. */
async function measureFloor(lab: Lab, load: ServiceLoad): Promise<void> {
  await scaleController(lab, 0);
  await load.create(0, burst);
  for (const [parallel, count] of [
    [workers, burst],
    [1, Math.min(oneByOne, burst)],
  ] as const) {
    const before = await readServiceWrites(lab);
    const cpuBefore = readClusterCpu(lab.options.name);
    const seconds = await sendBareWrites(lab, parallel, count, async () => {
      const cpuAfter = readClusterCpu(lab.options.name);
      const cpu = ["kube-apiserver", "etcd"].map((program): [string, number] => {
        const spent = (cpuAfter.get(program) ?? Number.NaN) - (cpuBefore.get(program) ?? Number.NaN);
        return [`${program}: CPU per Service, ms`, (spent * 1000) / count];
      });
      const writes = writeTimes(before, await readServiceWrites(lab));
      note(presentVersion, `floor, ${parallel} at once`, new Map([...cpu, ...writes]));
    });
    note(presentVersion, `floor, ${parallel} at once`, new Map([["Services per second", count / seconds]]));
  }
  await load.deleteAll();
  await scaleController(lab, 2);
  await waitForLeader(lab);
}

async function scaleController(lab: Lab, replicas: number): Promise<void> {
  await lab.kubectl(["-n", productNamespace, "scale", "deployment/bellhop-controller", `--replicas=${replicas}`]);
  if (replicas > 0) return;
  await waitFor({ what: "the controllers to end", timeoutMs: 30_000, intervalMs: 200 }, async () => {
    const path = `/api/v1/namespaces/${productNamespace}/pods?labelSelector=app.kubernetes.io/component=controller`;
    return (await lab.api<{ items: unknown[] }>("GET", path)).items.length === 0 ? true : undefined;
  });
}

/** Resolves to the seconds that the writes took. `written` is called before they are undone. */
async function sendBareWrites(
  lab: Lab,
  parallel: number,
  count: number,
  written: () => Promise<void>,
): Promise<number> {
  const program = join(import.meta.dirname, "services/bare-writes-process.ts");
  const argv = [process.execPath, program, lab.kubeconfig, namespace, String(parallel), String(count)];
  const child = lab.spawnInNetwork("control", argv, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const printed = child.stdout === null ? [] : await Promise.race([once(child.stdout, "data"), ended]);
  const seconds = Number(String(printed[0]));
  if (!(seconds > 0) || child.exitCode !== null) throw new Error("the bare writes have failed");
  await written();
  child.stdin?.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`the bare writes could not be undone: exit code ${code}`);
  return seconds;
}

const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
const lab = await upLab({ name: "bench-services", nodes: 1 }, progress);
try {
  const before = options.before === "none" ? [] : [await extractVersion(options.before, folder)];
  const load = new ServiceLoad(lab);
  let previous: Version | undefined;
  for (let trial = 1; trial <= trials; trial++) {
    for (const version of [...before, presentVersion]) {
      await install(lab, version, previous);
      previous = version;
      await progress.step(`trial ${trial} of ${trials}: ${version.name}`, () => runTrial(lab, version));
      figures.note(version.name, "load average of the machine", loadavg()[0] ?? 0);
    }
    await progress.step("floor", () => measureFloor(lab, load));
  }
} finally {
  rmSync(folder, { recursive: true });
  await progress.step("take the lab down", () => lab.down());
}
process.stdout.write(`before: ${options.before}; minimum / median / maximum (trials)\n`);
for (const line of figures.lines()) process.stdout.write(`${line}\n`);
