import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../e2e/api.ts";
import { createService } from "../e2e/workload.ts";
import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { waitFor } from "../lab/wait.ts";
import { withBenchLab } from "./bench-lab.ts";
import { measureRest } from "./rest.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * The figures of one Service on an idle cluster of three nodes: how soon it has an address, how soon it answers, how fast ARP is
 * answered, and what the programs cost at rest. Run it with `npm run bench -- slice [trials]`; it makes a lab of its own.
 */
const trials = Number(process.argv[2] ?? 20);
const idleSeconds = 30;

/** Between two Services, as a user creates them. In a burst, kube-proxy's interval of one second between writes would hide or add time. */
const pauseMs = 3_000;
const progress = showProgress(process.stderr);

async function measureSlice(api: Api): Promise<void> {
  for (const [path, spec] of [
    ["through NodePorts", {}],
    ["straight to pods", { allocateLoadBalancerNodePorts: false }],
  ] as const) {
    const rows = await progress.step(`${trials} Services ${path}`, () => createMany(api, spec));
    print(`Service created → EXTERNAL-IP, ${path}, ms`, spreadOf(rows.map((row) => row.addressMs)));
    print(`Service created → first good answer, ${path}, ms`, spreadOf(rows.map((row) => row.answerMs)));
  }
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

interface Trial {
  readonly addressMs: number;
  readonly answerMs: number;
}

async function createMany(api: Api, spec: Record<string, unknown>): Promise<readonly Trial[]> {
  const rows: Trial[] = [];
  for (let trial = 0; trial < trials; trial++) {
    await sleep(pauseMs);
    rows.push(await createOne(api, `trial-${trial}`, spec));
  }
  return rows;
}

/** The client asks every 10 ms from the moment it can know the address, a new connection each time. */
async function createOne(api: Api, name: string, spec: Record<string, unknown>): Promise<Trial> {
  // The address of the Service before is assigned again: a client that knows its MAC address would not wait until it is announced.
  await api.lab.exec("client", ["ip", "neigh", "flush", "dev", "eth0"]);
  const startMs = performance.now();
  await createService(api, name, { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], ...spec });
  const address = await waitFor({ what: `an address of ${name}`, timeoutMs: 10_000, intervalMs: 2 }, async () => {
    const answer = await askApi(api.lab.apiSocket, "GET", `/api/v1/namespaces/default/services/${name}`);
    return /"ingress":\[\{"ip":"([^"]+)"/.exec(answer.body)?.[1];
  });
  const addressMs = performance.now() - startMs;
  await waitFor({ what: `an answer from ${address}`, timeoutMs: 10_000, intervalMs: 10 }, async () => {
    const { code } = await api.lab.exec("client", [
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "--max-time",
      "0.2",
      `http://${address}/hostname`,
    ]);
    return code === 0;
  });
  const answerMs = performance.now() - startMs;
  await api.delete("v1", "Service", name);
  await waitFor(
    { what: `${name} to go`, timeoutMs: 10_000 },
    async () => (await api.find("v1", "Service", name)) === undefined,
  );
  return { addressMs, answerMs };
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

await withBenchLab(progress, measureSlice);
