import type { Api, ApiObject } from "../../e2e/api.ts";
import { listPods } from "../../e2e/kill.ts";
import { createService } from "../../e2e/workload.ts";
import { macAddress, nodeAddresses } from "../../lab/addresses.ts";
import { LabError } from "../../lab/error.ts";
import { waitFor } from "../../lab/wait.ts";
import type { TargetName } from "./timeline.ts";

export const pathSpecs = {
  nodeport: {},
  pods: { allocateLoadBalancerNodePorts: false },
} as const;
export type PathName = keyof typeof pathSpecs;
export const familyNames = ["ipv4", "ipv6"] as const;
export type FamilyName = (typeof familyNames)[number];

const virtualIp = ["bellhop.dev/v1beta1", "VirtualIP"] as const;

/** The addresses of a lab that a bench asks, and the others. */
export interface Stage {
  readonly api: Api;
  readonly names: ReadonlyArray<Omit<TargetName, "client">>;
  /** Addresses of other Services. They are spread over the other nodes, so that no rebalance moves the measured ones. */
  readonly fillers: readonly string[];
}

/** Services that are asked: one for each path. */
export interface ServiceGroup {
  readonly prefix: string;
  readonly paths: readonly PathName[];
  readonly families: readonly FamilyName[];
  readonly spec: Readonly<Record<string, unknown>>;
  readonly app: string;
}

/** Creates the Services, and as many for each of the other nodes. */
export async function setStage(api: Api, groups: readonly ServiceGroup[]): Promise<Stage> {
  const names: Omit<TargetName, "client">[] = [];
  const fillers: string[] = [];
  for (const { prefix, paths, families, spec, app } of groups) {
    for (const path of paths) {
      const name = `${prefix}${path}`;
      await createService(api, name, { ...pathSpecs[path], ...spec }, app);
      for (const address of await api.waitForAddresses(name, 30_000)) {
        const family = address.includes(":") ? "ipv6" : "ipv4";
        if (families.includes(family)) names.push({ path: name, family, address });
        else fillers.push(address);
      }
      for (let index = 1; index < api.lab.nodes.length; index++) {
        await createService(api, `${name}-other-${index}`);
        fillers.push(...(await api.waitForAddresses(`${name}-other-${index}`, 30_000)));
      }
    }
  }
  return { api, names, fillers };
}

/** The nodes from the given one on, in a circle. */
export function ranking(nodes: readonly string[], first: string): readonly string[] {
  const index = nodes.indexOf(first);
  return [...nodes.slice(index), ...nodes.slice(0, index)];
}

export function nodeOfMac(nodes: readonly string[], mac: string): string {
  return nodes.find((node) => macAddress(nodeAddresses(node).ipv4) === mac) ?? mac;
}

async function readVirtualIp(api: Api, address: string): Promise<ApiObject> {
  return api.get(...virtualIp, address.replaceAll(":", "-"));
}

/** Writes the owner list of one address, as an administrator would; returns when the API server has it. */
export async function writeOwners(api: Api, address: string, owners: readonly string[]): Promise<void> {
  await waitFor({ what: `owners of ${address} to be written`, timeoutMs: 20_000, intervalMs: 100 }, async () => {
    const object = await readVirtualIp(api, address);
    if (JSON.stringify(object.spec.owners) === JSON.stringify(owners)) return true;
    // A conflict throws `command-failed`, after which this is done again with the newer object.
    await api.replace({ ...object, spec: { ...object.spec, owners } });
    return true;
  });
}

/** Moves the measured addresses to the node, and the others to the other nodes, and waits until all of them are announced there. */
export async function placeAddresses(stage: Stage, first: string): Promise<void> {
  const { api, names, fillers } = stage;
  const nodes = ranking(api.lab.nodes, first);
  const places = [
    ...names.map(({ address }) => [address, nodes] as const),
    ...fillers.map((address, index) => {
      const node = nodes[1 + (index % (nodes.length - 1))] ?? first;
      return [address, ranking(api.lab.nodes, node)] as const;
    }),
  ];
  await waitFor({ what: `all addresses on their nodes`, timeoutMs: 90_000, intervalMs: 300 }, async () => {
    let placed = true;
    for (const [address, owners] of places) {
      const { spec, status } = await readVirtualIp(api, address);
      if (spec.owners[0] !== owners[0] || spec.owners[1] !== owners[1]) {
        placed = false;
        await writeOwners(api, address, owners);
      } else if (status?.node !== owners[0]) placed = false;
    }
    return placed ? true : undefined;
  });
}

interface NodeList {
  readonly items: ReadonlyArray<{
    readonly spec: { readonly unschedulable?: boolean; readonly taints?: ReadonlyArray<{ readonly key: string }> };
    readonly status: { readonly conditions?: ReadonlyArray<{ readonly type: string; readonly status: string }> };
  }>;
}

/** Waits until every node is ready, every pod of Bellhop and of the Services runs, and all are among the endpoints. */
export async function waitForCluster(api: Api): Promise<void> {
  const { lab } = api;
  await waitFor({ what: "the cluster to be whole again", timeoutMs: 180_000, intervalMs: 300 }, async () => {
    const { items } = await lab.api<NodeList>("GET", "/api/v1/nodes");
    const nodes = items.every(
      ({ spec, status }) =>
        spec.unschedulable !== true &&
        (spec.taints ?? []).length === 0 &&
        status.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    );
    if (!nodes) return undefined;
    const speakers = (await listPods(api, "speaker")).items;
    const controllers = (await listPods(api, "controller")).items;
    const ready = [...speakers, ...controllers].every(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && status.containerStatuses?.every((one) => one.ready) === true,
    );
    if (!ready || speakers.length !== lab.nodes.length || controllers.length !== 2) return undefined;
    const slices = await api.list("discovery.k8s.io/v1", "EndpointSlice");
    return slices.every((slice) => wholeSlice(slice, lab.nodes.length)) ? true : undefined;
  });
}

/** Whether a slice of one of our Services has a ready endpoint on each node. */
function wholeSlice(slice: ApiObject, nodes: number): boolean {
  if (slice.metadata.labels?.["kubernetes.io/service-name"] === "kubernetes") return true;
  const { endpoints = [] } = slice as unknown as {
    endpoints?: ReadonlyArray<{ conditions: { ready?: boolean; terminating?: boolean } }>;
  };
  return endpoints.length === nodes && endpoints.every(({ conditions }) => conditions.ready && !conditions.terminating);
}

/** The one pod of Bellhop's speaker on a node. */
export async function speakerPod(api: Api, node: string): Promise<string> {
  const pod = (await listPods(api, "speaker")).items.find(({ spec }) => spec.nodeName === node);
  if (pod === undefined) throw new LabError("not-running", `there is no speaker on ${node}`);
  return pod.metadata.name;
}
