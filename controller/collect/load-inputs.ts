import type { V1Service } from "@kubernetes/client-node";
import { timeText } from "../../src/api/api.ts";
import { BellhopError } from "../../src/error/error.ts";
import type { IpAddress } from "../../src/ip/address.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { servicePath } from "../../src/kube/path.ts";
import { projectEndpointSlice } from "../../src/model/endpoint-slice.ts";
import { projectService } from "../../src/model/service.ts";
import { clusterNetworks } from "../allocate/pool/cluster-network.ts";
import type { AddressInput } from "../explain/address/explain.ts";
import type { PoolManifest } from "../explain/pools/manifest.ts";
import { type PoolsInput, poolsAfter } from "../explain/pools/plan-pools.ts";
import type { ServiceInput } from "../explain/service/input.ts";
import { createClusterState, type ReadOptions, readCluster } from "./read-cluster.ts";

export interface LoadServiceOptions extends ReadOptions {
  readonly service: { readonly namespace: string; readonly name: string };
  /** Whether the controller handles Services without a class. */
  readonly defaultClass: boolean;
}

/** Reads everything that affects one Service. Throws ObjectNotFound if the Service does not exist. Writes nothing. */
export async function loadServiceInput(options: LoadServiceOptions): Promise<ServiceInput> {
  const { service, defaultClass, namespace } = options;
  const [raw, reading] = await Promise.all([readService(options), readCluster(options)]);
  const { watched, clusterState, live, leader, slices } = reading;
  return {
    service: projectService(raw, options.metallb),
    conditions: raw.status?.conditions ?? [],
    selector: raw.spec?.selector,
    namespaceLabels: watched.namespaces.views.get(service.namespace)?.labels ?? {},
    defaultClass,
    allocations: clusterState.currentAllocations(),
    virtualIps: watched.virtualIps.views,
    slices: slices.flatMap((slice) => projectEndpointSlice(slice) ?? []),
    candidates: clusterState.candidateInput(live),
    speakers: watched.speakers.views,
    leader,
    namespace,
    externalIpReason: clusterState.services.externalIpReason(`${service.namespace}/${service.name}`),
  };
}

async function readService({ client, service: { namespace, name } }: LoadServiceOptions): Promise<V1Service> {
  const service = (await getObject(client, servicePath(namespace, name))) as V1Service | undefined;
  if (service !== undefined) return service;
  const message = `Service ${namespace}/${name} does not exist; to list all: kubectl get services --all-namespaces`;
  throw new BellhopError("ObjectNotFound", message);
}

/** Reads everything that affects one address. Writes nothing. */
export async function loadAddressInput(options: ReadOptions, address: IpAddress): Promise<AddressInput> {
  const reading = await readCluster(options);
  const { watched, clusterState, live } = reading;
  return {
    address,
    allocations: clusterState.currentAllocations(),
    virtualIps: watched.virtualIps.views,
    candidates: clusterState.candidateInput(live),
    services: watched.services.views.values(),
    isUncounted: (key) => clusterState.services.isUncounted(key, address),
    pools: [...watched.pools.views.values()],
    networks: clusterNetworks(watched.serviceCidrs.views.values(), watched.nodes.views.values()),
  };
}

/** Reads the cluster, and derives what it would be with the pools of the manifests applied. Writes nothing. */
export async function loadPoolsInput(options: ReadOptions, manifests: readonly PoolManifest[]): Promise<PoolsInput> {
  const { watched, invalidViews, clusterState } = await readCluster(options);
  const present = watched.pools.views;
  const views = poolsAfter(present, manifests, timeText(options.clock.wallMs()));
  const kept = invalidViews.filter(({ resource, name }) => resource !== "pools" || !views.has(name));
  const after = createClusterState({ ...watched, pools: { views } }, kept, options);
  const before = clusterState.currentAllocations();
  return { manifests, present, claims: before.claims.values(), before, after: after.currentAllocations() };
}
