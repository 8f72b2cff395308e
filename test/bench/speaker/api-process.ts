import { createInterface } from "node:readline";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { groupVersion } from "../../../src/api/api.ts";
import { patchTypes } from "../../../src/kube/client.ts";
import { FakeApiServer } from "../../../src/kube/fake.ts";
import { ownPath } from "../../../src/kube/path.ts";
import { end, jump, load } from "../../../src/libc/filter-instruction.ts";
import { LinuxNetlinkSocket } from "../../../src/netlink-socket/linux-netlink-socket.ts";
import { serveFake } from "../../unit/src/kube/serve-fake.ts";

/** A line to this process, which is an API server in memory for the speaker of node n1. It answers each with a line of JSON. */
export type ApiQuestion =
  /** Adds Services until there are so many. Answers null. */
  | { readonly kind: "populate"; readonly services: number }
  /** Changes one endpoint again and again, each time after the one before. Answers with the milliseconds until the kernel has a new generation. */
  | { readonly kind: "changes"; readonly trials: number }
  /** Changes so many endpoints in each second, and waits for nothing. Answers with how many. */
  | { readonly kind: "rate"; readonly perSecond: number; readonly seconds: number }
  /** Answers with the endpoints of all Services: `address endpoint`. */
  | { readonly kind: "endpoints" };

const endpointsPerService = 10;
const servicesPath = "/api/v1/namespaces/default/services";
const slicesPath = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

/** NFNLGRP_NFTABLES, and NFT_MSG_NEWGEN alone: its type is at byte 4, and BPF reads it big-endian. */
const nftablesGroup = 7;
const generationFilter = [
  load("half", 4),
  jump(new DataView(Uint16Array.of(0x0a0f).buffer).getUint16(0), 0, 1),
  end(0xffff),
  end(0),
];

const api = new FakeApiServer();
const post = (path: string, body: unknown) => api.request({ method: "POST", path, body });
await post("/api/v1/nodes", { metadata: { name: "n1" } });

/** By Service, by endpoint: how often it was changed. */
const generations: number[][] = [];

function addressOf(index: number): string {
  return `198.18.${1 + (index >> 8)}.${index & 255}`;
}

function endpointOf(index: number, number: number): string {
  const place = index * endpointsPerService + number;
  const generation = generations[index]?.[number] ?? 0;
  return `10.${64 + (generation % 128)}.${place >> 8}.${place & 255}`;
}

function endpointsOf(index: number) {
  return Array.from({ length: endpointsPerService }, (_, number) => ({
    addresses: [endpointOf(index, number)],
    nodeName: "n2",
    conditions: { ready: true },
  }));
}

async function addService(index: number): Promise<void> {
  generations.push(Array<number>(endpointsPerService).fill(0));
  const name = `s${index}`;
  const address = addressOf(index);
  await post(servicesPath, {
    metadata: { name, namespace: "default" },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 80 }] },
  });
  await post(slicesPath, {
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    endpoints: endpointsOf(index),
  });
  await post(ownPath("virtualips"), {
    apiVersion: groupVersion,
    kind: "VirtualIP",
    metadata: { name: address },
    spec: { address, services: [{ namespace: "default", name }], owners: ["n1"] },
  });
}

async function moveEndpoint(index: number, number: number): Promise<void> {
  const counts = generations[index];
  if (counts === undefined) throw new RangeError(`there is no Service ${index}`);
  counts[number] = (counts[number] ?? 0) + 1;
  const body = { endpoints: endpointsOf(index) };
  await api.request({ method: "PATCH", path: `${slicesPath}/s${index}`, body, contentType: patchTypes.merge });
}

async function measureChanges(trials: number): Promise<readonly number[]> {
  const socket = new LinuxNetlinkSocket("netfilter", { groups: [nftablesGroup], filter: generationFilter });
  const times: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    await sleep(50);
    while (socket.receive() !== "none");
    const startMs = performance.now();
    await moveEndpoint(trial % generations.length, trial % endpointsPerService);
    while (socket.receive() === "none") {
      if (performance.now() - startMs > 10_000) throw new Error("the kernel has no new generation after 10 s");
      await nextTurn();
    }
    times.push(performance.now() - startMs);
  }
  socket.close();
  return times;
}

async function changeAtRate(perSecond: number, seconds: number): Promise<number> {
  const startMs = performance.now();
  let sent = 0;
  while (sent < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, ((performance.now() - startMs) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const turn = Math.floor(sent / generations.length);
      await moveEndpoint(sent % generations.length, turn % endpointsPerService);
    }
    await sleep(2);
  }
  return sent;
}

async function answer(question: ApiQuestion): Promise<unknown> {
  switch (question.kind) {
    case "populate":
      while (generations.length < question.services) await addService(generations.length);
      return null;
    case "changes":
      return measureChanges(question.trials);
    case "rate":
      return changeAtRate(question.perSecond, question.seconds);
    case "endpoints":
      return generations.flatMap((counts, index) =>
        counts.map((_, number) => `${addressOf(index)} ${endpointOf(index, number)}`),
      );
  }
}

const served = await serveFake(api);
console.log(served.url);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
