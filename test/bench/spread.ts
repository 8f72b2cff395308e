import { parseArgs } from "node:util";
import type { Api } from "../e2e/api.ts";
import { createService } from "../e2e/workload.ts";
import { showProgress } from "../lab/progress.ts";
import { waitFor } from "../lab/wait.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { withBenchLab } from "./bench-lab.ts";
import { waitForCluster } from "./failover/stage.ts";

/**
 * How many addresses each node announces before one loses its power, while it is off, when it is back, and after the controller has balanced them
 * again: `npm run bench -- spread [--trials N] [--services N]`. Each Service has an address of each family. Makes a lab of its own.
 */
const { values: options } = parseArgs({
  options: { trials: { type: "string", default: "3" }, services: { type: "string", default: "15" } },
});
const trials = wholeNumber("--trials", options.trials, { from: 1, to: 1_000 });
/** As many as the pool of the lab has IPv4 addresses. */
const count = wholeNumber("--services", options.services, { from: 1, to: 51 });
const progress = showProgress(process.stderr);
/** Much longer than the controller waits for other changes of nodes (`--rebalance-after`), and than it needs to move addresses. */
const balanceMs = 90_000;

/** How many addresses each node announces, in the order of the nodes. */
async function countAddresses(api: Api): Promise<readonly number[]> {
  const addresses = await api.list("bellhop.dev/v1beta1", "VirtualIP");
  return api.lab.nodes.map((node) => addresses.filter(({ status }) => status?.node === node).length);
}

/** Waits until the nodes announce all addresses, each of these nodes some, and nothing has changed for three seconds. */
async function waitForCalm(api: Api, total: number): Promise<readonly number[]> {
  let before = "";
  return waitFor({ what: `${total} addresses to be announced`, timeoutMs: 120_000, intervalMs: 3_000 }, async () => {
    const counts = await countAddresses(api);
    const calm = counts.join() === before && counts.reduce((sum, count) => sum + count, 0) === total;
    before = counts.join();
    return calm ? counts : undefined;
  });
}

async function measureTrial(api: Api, trial: number, total: number): Promise<void> {
  const { lab } = api;
  const lost = lab.nodes[trial % lab.nodes.length] ?? "";
  const index = lab.nodes.indexOf(lost);
  const before = await waitForCalm(api, total);
  await lab.stopNode(lost);
  const without = await waitFor({ what: `addresses of ${lost} to move`, timeoutMs: 60_000 }, async () => {
    const counts = await countAddresses(api);
    const sum = counts.reduce((all, count) => all + count, 0);
    return counts[index] === 0 && sum === total ? counts : undefined;
  });
  await lab.startNode(lost);
  await waitForCluster(api);
  const back = await countAddresses(api);
  const backMs = performance.now();
  let balanced = back;
  while (Math.max(...balanced) - Math.min(...balanced) > 1 && performance.now() - backMs < balanceMs) {
    balanced = await waitForCalm(api, total);
  }
  const words = [before, without, back, balanced].map((counts) => counts.join(" + "));
  const seconds = (performance.now() - backMs) / 1_000;
  process.stdout.write(`| ${lost} | ${words.join(" | ")} | ${seconds.toFixed(0)} |\n`);
}

await withBenchLab(progress, async (api) => {
  for (let index = 1; index <= count; index++) {
    await createService(api, `s${index}`);
    await api.waitForAddresses(`s${index}`, 30_000);
  }
  process.stdout.write(
    "| node that is lost | before | while it is off | when it is back | balanced again | after, s |\n",
  );
  process.stdout.write("| --- | --- | --- | --- | --- | --- |\n");
  for (let trial = 1; trial <= trials; trial++) {
    await progress.step(`trial ${trial}`, () => measureTrial(api, trial, 2 * count));
  }
});
