import type { Api } from "../e2e/api.ts";
import { askFrom } from "../e2e/client.ts";
import { waitForAnswer } from "../e2e/forwarding.ts";
import { createService } from "../e2e/workload.ts";
import { showProgress } from "../lab/progress.ts";
import { waitFor } from "../lab/wait.ts";
import { withBenchLab } from "./bench-lab.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * How long an address stays silent when the node that announces it loses its power: `npm run bench -- takeover [trials]`. The Service
 * has no node ports, so that what is measured is Bellhop's takeover; the pod on the dead node stays among the endpoints until the
 * cluster has noticed, so a single answer ends a trial. Makes a lab of its own.
 */
const trials = Number(process.argv[2] ?? 5);
const progress = showProgress(process.stderr);

async function measureTakeover(api: Api): Promise<void> {
  const spec = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], allocateLoadBalancerNodePorts: false };
  await createService(api, "kept", spec);
  const [address = ""] = await api.waitForAddresses("kept");
  await waitForAnswer(api, address);
  const silences: number[] = [];
  for (let trial = 1; trial <= trials; trial++) {
    silences.push(await progress.step(`takeover ${trial} of ${trials}`, () => measureOne(api, address)));
  }
  process.stdout.write(`power off → first good answer, s: ${formatSpread(spreadOf(silences), 1)}\n`);
}

async function measureOne(api: Api, address: string): Promise<number> {
  const { lab } = api;
  const node = await announcer(api, address);
  const startMs = performance.now();
  await lab.stopNode(node);
  await waitFor({ what: `an answer from ${address}`, timeoutMs: 60_000, intervalMs: 10 }, async () => {
    const target = { protocol: "tcp", host: address, port: 80, question: "/hostname" } as const;
    return (await askFrom(lab, "client", target, 1, 250)).good === 1;
  });
  const seconds = (performance.now() - startMs) / 1000;
  await lab.startNode(node);
  await waitFor({ what: `the speaker of ${node} to be back`, timeoutMs: 120_000, intervalMs: 500 }, async () => {
    const pods = await lab.kubectl([
      "-n",
      "bellhop-system",
      "get",
      "pods",
      "-o",
      "jsonpath={.items[*].status.containerStatuses[*].ready}",
    ]);
    return pods.split(" ").length === 5 && !pods.includes("false");
  });
  // Addresses are evened out ten seconds after a node has come back; a trial in the middle of that would measure another thing.
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  return seconds;
}

async function announcer(api: Api, address: string): Promise<string> {
  return waitFor({ what: `${address} to be announced`, timeoutMs: 30_000 }, async () => {
    return (await api.get("bellhop.dev/v1beta1", "VirtualIP", address)).status?.node as string | undefined;
  });
}

await withBenchLab(progress, measureTakeover);
