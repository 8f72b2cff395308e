import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/clock/clock.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { Cluster } from "../unit/controller/fake-cluster/cluster.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What one Service that comes and goes costs the controller, by how many others there are: `npm run bench -- changes [count...]`. Needs no
 * cluster: the API server is the one in memory, and its work, which does not grow, is part of the figure. Where the time goes is told by
 * `node --cpu-prof test/bench/changes.ts 10000`; the bench of the whole is `services.ts`.
 */
const counts = process.argv.length > 2 ? process.argv.slice(2).map(countIn) : [10, 3_000, 10_000];
const changes = 10;
/** Longer than what a change puts off: the pool's status is written a second after it. */
const settledMs = 1_500;
const spec = { ipFamilies: ["IPv6"] };

/** The pool has 65,536 addresses. */
function countIn(text: string): number {
  return wholeNumber("count", text, { from: 0, to: 65_000 });
}

async function measure(count: number): Promise<void> {
  const cluster = new Cluster(systemClock);
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["2001:db8::1:0/112"]);
  await cluster.start();
  for (let index = 0; index < count; index++) await cluster.addService(`s${index}`, spec);
  while ((await cluster.virtualIps()).length < count) await sleep(100);
  await sleep(settledMs);
  const costsMs: number[] = [];
  for (let change = 0; change < changes; change++) {
    const requests = cluster.server.requests.length;
    const before = process.cpuUsage();
    await cluster.addService("change", spec);
    await sleep(settledMs);
    await cluster.deleteService("change");
    await sleep(settledMs);
    const { user, system } = process.cpuUsage(before);
    costsMs.push((user + system) / 1000);
    // Two of ours, and at least a claim, two patches and a release.
    if (cluster.server.requests.length < requests + 6) throw new Error("the controller has not kept up");
  }
  const title = `one Service comes and goes among ${count}: CPU with the API server in memory, ms`;
  process.stdout.write(`${title}: ${formatSpread(spreadOf(costsMs), 1)}\n`);
  await cluster.stopAll();
}

for (const count of counts) await measure(count);
