import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../e2e/api.ts";
import { monotonicMs } from "../../e2e/probe/monotonic.ts";
import { startListener } from "../../e2e/probe/programs.ts";
import { createService } from "../../e2e/workload.ts";
import { waitFor } from "../../lab/wait.ts";
import { nodeOfMac } from "../failover/stage.ts";
import { watchRules } from "../first-answer/rules-watch.ts";
import { type Stage, type Trial, timeLineOf } from "../first-answer/time-line.ts";
import { startWaitingClient, type WaitingClient } from "../first-answer/waiting-client.ts";
import { type ObjectWatch, watchObjects } from "./object-watch.ts";

/** Between two Services, as a user creates them. In a burst, kube-proxy's interval of one second between writes would hide or add time. */
const pauseMs = 3_000;

/** The last packets and events may arrive a little later than the answer. */
const settleMs = 500;

/** One Service from its creation to its first answer. */
export interface CreatedService {
  readonly addressMs: number;
  readonly answerMs: number;
  /** When each stage was seen, in ms after the request. */
  readonly timeLine: Readonly<Partial<Record<Stage, number>>>;
}

/** Creates Services one after the other, asks each until it answers, and deletes it. */
export async function createServices(
  api: Api,
  spec: Record<string, unknown>,
  count: number,
): Promise<readonly CreatedService[]> {
  const { lab, namespace } = api;
  const watches = await Promise.all(
    [
      `/api/v1/namespaces/${namespace}/services`,
      "/apis/bellhop.dev/v1beta1/virtualips",
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    ].map((path) => watchObjects(lab, path)),
  );
  const [services, virtualIps, slices] = watches as [ObjectWatch, ObjectWatch, ObjectWatch];
  const rules = watchRules(lab.nodes, (node, argv) =>
    lab.spawnInNetwork(node, argv, { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const client = startWaitingClient(lab);
  const listener = startListener(lab);
  await listener.ready;
  const trials: (Trial & { readonly addressMs: number })[] = [];
  try {
    for (let trial = 0; trial < count; trial++) {
      await sleep(pauseMs);
      trials.push(await createOne(api, services, client, `trial-${trial}`, spec));
    }
    await sleep(settleMs);
  } finally {
    for (const { close } of watches) close();
    await rules.close();
    listener.stop();
    client.stop();
  }
  const seen = {
    services: services.seen,
    virtualIps: virtualIps.seen,
    slices: slices.seen,
    arp: await listener.report,
    rules: rules.seen,
    nodeOfMac: (mac: string) => nodeOfMac(lab.nodes, mac),
  };
  return trials.map((trial) => ({
    addressMs: trial.addressMs,
    answerMs: trial.answeredMs - trial.startMs,
    timeLine: timeLineOf(trial, seen),
  }));
}

/** The client asks from the moment it can know the address: a watch shows it. */
async function createOne(
  api: Api,
  services: ObjectWatch,
  client: WaitingClient,
  service: string,
  spec: Record<string, unknown>,
): Promise<Trial & { readonly addressMs: number }> {
  // The address of the Service before is assigned again: a client that knows its MAC address would not wait until it is announced.
  await api.lab.exec("client", ["ip", "neigh", "flush", "dev", "eth0"]);
  const startMs = monotonicMs();
  const created = createService(api, service, { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], ...spec }).then(
    monotonicMs,
  );
  // Looks only at what the watch has brought: a client that asks the API server again and again would slow it down.
  const address = await waitFor({ what: `an address of ${service}`, timeoutMs: 10_000, intervalMs: 1 }, async () => {
    const own = services.seen.findLast(({ atMs, object }) => atMs >= startMs && object.metadata.name === service);
    return own?.object.status?.loadBalancer?.ingress?.[0]?.ip as string | undefined;
  });
  const addressMs = monotonicMs() - startMs;
  const answeredMs = await client.firstAnswer(address);
  const createdMs = await created;
  await api.delete("v1", "Service", service);
  await waitFor(
    { what: `${service} to go`, timeoutMs: 10_000 },
    async () => (await api.find("v1", "Service", service)) === undefined,
  );
  return { service, address, startMs, createdMs, answeredMs, addressMs };
}
