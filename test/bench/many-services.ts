import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createSpeaker } from "../e2e/faults/bare-lab.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { waitFor } from "../lab/wait.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { installProduct, productNamespace } from "../product/install.ts";
import { readClusterCpu } from "./cluster-cpu.ts";
import { type ControllerFigures, readControllers } from "./controller-metrics.ts";
import { ServiceLoad } from "./service-load.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * Many Services at once: how fast they get addresses, what that and a restart cost, and what one change costs among few and
 * among many. Run it with `npm run bench -- many-services [count] [trials]`; each trial makes a lab of its own with one node.
 */
const count = wholeNumber("count", process.argv[2] ?? "10000", { from: 1, to: 65_000 });
const trials = wholeNumber("trials", process.argv[3] ?? "3", { from: 1, to: 1_000 });
const few = 10;
const changes = 25;
const restSeconds = 10;
const labName = "bench-many";
/** Programs of the cluster that use less for a Service are left out. */
const leastCpuMs = 0.1;
/** How many controllers deploy/base runs: one that leads, and one that watches as much. */
const replicas = 2;
const progress = showProgress(process.stderr);
const figures = new Map<string, number[]>();

function note(title: string, value: number): void {
  figures.set(title, [...(figures.get(title) ?? []), value]);
}

async function runTrial(): Promise<void> {
  const lab = await upLab({ name: labName, nodes: 1 }, progress);
  try {
    await installProduct(lab, progress);
    await removeSpeakers(lab);
    const load = new ServiceLoad(lab);
    await load.prepare();
    await sleep(restSeconds * 1000);
    note("leader: resident memory with no Service, MiB", (await readLeader(lab)).residentMiB);
    await load.create(0, few);
    await measureChanges(lab, load, `among ${few}`);
    await measureBurst(lab, load);
    await measureChanges(lab, load, `among ${count}`);
    await measureRestart(lab, load);
    await measureExplain(lab, `among ${count}`);
  } finally {
    await progress.step("take the lab down", () => lab.down());
  }
}

/** What is measured is the controllers and the API server: a speaker that follows all this would take its share of the two cores. */
async function removeSpeakers(lab: Lab): Promise<void> {
  await lab.kubectl(["-n", productNamespace, "delete", "daemonset/bellhop-speaker", "--cascade=foreground"]);
  await createSpeaker(lab);
}

async function readLeader(lab: Lab): Promise<ControllerFigures> {
  return waitFor({ what: "a leading controller", timeoutMs: 60_000, intervalMs: 200 }, async () =>
    (await readControllers(lab)).find(({ leading }) => leading),
  );
}

async function readStandby(lab: Lab): Promise<ControllerFigures | undefined> {
  return (await readControllers(lab)).find(({ leading }) => !leading);
}

async function scale(lab: Lab, to: number): Promise<void> {
  await lab.kubectl(["-n", productNamespace, "scale", "deployment/bellhop-controller", `--replicas=${to}`]);
  if (to > 0) return;
  await waitFor({ what: "the controllers to end", timeoutMs: 30_000, intervalMs: 200 }, async () => {
    const path = `/api/v1/namespaces/${productNamespace}/pods?labelSelector=app.kubernetes.io/component=controller`;
    return (await lab.api<{ items: unknown[] }>("GET", path)).items.length === 0 ? true : undefined;
  });
}

/** The Services are all there when the controllers start: that is as much at once as can be. */
async function measureBurst(lab: Lab, load: ServiceLoad): Promise<void> {
  await scale(lab, 0);
  await progress.step(`create ${count} Services`, () => load.create(few, count));
  await sleep(restSeconds * 1000);
  await scale(lab, replicas);
  const first = await progress.step("a leader", () => readLeader(lab));
  const beganMs = performance.now();
  const standbyBefore = await readStandby(lab);
  const clusterBefore = readClusterCpu(labName);
  const wanted = count - few;
  const last = await progress.step("all addressed", () =>
    waitFor({ what: "all addresses", timeoutMs: 600_000, intervalMs: 500 }, async () => {
      const now = await readLeader(lab);
      return now.written >= wanted ? now : undefined;
    }),
  );
  const seconds = (performance.now() - beganMs) / 1000;
  const done = last.written - first.written;
  note("time from the start of the controller's process to the last address, s", Date.now() / 1000 - last.startedAt);
  note("Services per second, from the first write on", done / seconds);
  note("leader: CPU while giving addresses, % of a core", ((last.cpuSeconds - first.cpuSeconds) / seconds) * 100);
  note("leader: CPU per Service, ms", ((last.cpuSeconds - first.cpuSeconds) / done) * 1000);
  const standbyAfter = await readStandby(lab);
  if (standbyBefore !== undefined && standbyAfter !== undefined) {
    note("standby: CPU per Service, ms", ((standbyAfter.cpuSeconds - standbyBefore.cpuSeconds) / done) * 1000);
  }
  for (const [program, after] of readClusterCpu(labName)) {
    const spent = ((after - (clusterBefore.get(program) ?? 0)) / done) * 1000;
    if (spent >= leastCpuMs) note(`${program}: CPU per Service, ms`, spent);
  }
  note("load average of the machine at the end", loadavg()[0] ?? 0);
  await load.check(count);
  await progress.step("all events written", () => waitUntilQuiet(lab));
  const quiet = await readLeader(lab);
  note("requests per Service, events included", (quiet.writes + quiet.reads) / wanted);
  note("leader: resident memory after that, MiB", quiet.residentMiB);
  const standby = await readStandby(lab);
  if (standby !== undefined) note("standby: resident memory, MiB", standby.residentMiB);
}

async function waitUntilQuiet(lab: Lab): Promise<void> {
  let before = -1;
  await waitFor({ what: "the last write", timeoutMs: 120_000, intervalMs: 3_000 }, async () => {
    const { writes } = await readLeader(lab);
    const same = writes === before;
    before = writes;
    return same ? true : undefined;
  });
}

/** Services that come and go one after the other; what the controller does at rest is taken off. */
async function measureChanges(lab: Lab, load: ServiceLoad, among: string): Promise<void> {
  await waitUntilQuiet(lab);
  const start = await readLeader(lab);
  await progress.step(`rest ${among}`, () => sleep(restSeconds * 1000));
  const rested = await readLeader(lab);
  const beganMs = performance.now();
  await progress.step(`${changes} changes ${among}`, async () => {
    for (let index = 0; index < changes; index++) await load.comeAndGo(`change-${index}`);
  });
  await waitUntilQuiet(lab);
  const after = await readLeader(lab);
  const seconds = (performance.now() - beganMs) / 1000;
  const restCpu = (rested.cpuSeconds - start.cpuSeconds) / restSeconds;
  note(`leader: CPU at rest ${among} Services, % of a core`, restCpu * 100);
  const cpu = after.cpuSeconds - rested.cpuSeconds - restCpu * seconds;
  note(`one Service comes and goes ${among}: leader's CPU, ms`, (cpu / changes) * 1000);
  note(`one Service comes and goes ${among}: writes`, (after.writes - rested.writes) / changes);
}

async function measureRestart(lab: Lab, load: ServiceLoad): Promise<void> {
  await scale(lab, 0);
  const before = await load.versions();
  await scale(lab, replicas);
  const leader = await progress.step("a leader again", () => readLeader(lab));
  note("restart: process start to leading, s", Date.now() / 1000 - leader.startedAt);
  await sleep(restSeconds * 1000);
  note("restart: writes", (await readLeader(lab)).writes);
  if ((await load.versions()) !== before) throw new Error("the restart has changed a Service or a VirtualIP");
  note("restart: leader's resident memory, MiB", (await readLeader(lab)).residentMiB);
}

/** The question is put in the controller's pod, and everything that it joins is read for it; the command's start is part of it. */
async function measureExplain(lab: Lab, among: string): Promise<void> {
  const argv = bellhopInPod(["explain", "service", "bench/s1"]);
  const beganMs = performance.now();
  // 1: not served, as these Services have no pods.
  const { code, stderr } = await lab.exec("control", ["kubectl", ...argv]);
  if (code !== 1) throw new Error(`bellhop explain ended with ${code}: ${stderr}`);
  note(`bellhop explain service ${among}, s`, (performance.now() - beganMs) / 1000);
}

for (let trial = 1; trial <= trials; trial++) await progress.step(`trial ${trial} of ${trials}`, runTrial);
process.stdout.write(`${count} Services, min / median / max:\n`);
for (const [title, values] of figures) process.stdout.write(`${title}: ${formatSpread(spreadOf(values), 2)}\n`);
