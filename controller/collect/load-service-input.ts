import type { V1Service } from "@kubernetes/client-node";
import { isMetallbAnnotation } from "../../src/api/metallb.ts";
import { BellhopError } from "../../src/error/error.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { servicePath } from "../../src/kube/path.ts";
import { projectEndpointSlice } from "../../src/model/endpoint-slice.ts";
import { projectService } from "../../src/model/service.ts";
import type { ServiceInput } from "../explain/service/input.ts";
import { candidateInputOf } from "../observe/candidate-input.ts";
import { type ReadOptions, readCluster } from "./read-cluster.ts";

export interface LoadServiceOptions extends ReadOptions {
  readonly service: { readonly namespace: string; readonly name: string };
  /** Whether the controller takes Services without a class. */
  readonly defaultClass: boolean;
}

/** Reads all that bears on one Service. Throws ObjectNotFound where there is no such Service. Writes nothing. */
export async function loadServiceInput(options: LoadServiceOptions): Promise<ServiceInput> {
  const { service, defaultClass, namespace } = options;
  const [raw, reading] = await Promise.all([readService(options), readCluster(options)]);
  const { watched, clusterState, live, leader, slices } = reading;
  return {
    service: projectService(raw, options.metallbNamespace === undefined ? undefined : isMetallbAnnotation),
    conditions: raw.status?.conditions ?? [],
    selector: raw.spec?.selector,
    namespaceLabels: watched.namespaces.views.get(service.namespace)?.labels ?? {},
    defaultClass,
    allocations: clusterState.currentAllocations(),
    virtualIps: watched.virtualIps.views,
    slices: slices.flatMap((slice) => projectEndpointSlice(slice) ?? []),
    candidates: candidateInputOf(watched, clusterState, live),
    speakers: watched.speakers.views,
    leader,
    namespace,
  };
}

async function readService({ client, service: { namespace, name } }: LoadServiceOptions): Promise<V1Service> {
  try {
    return (await client.request({ method: "GET", path: servicePath(namespace, name) })).body as V1Service;
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    const message = `there is no Service ${namespace}/${name}; kubectl get services --all-namespaces lists those that are there`;
    throw new BellhopError("ObjectNotFound", message);
  }
}
