import type { V1EndpointSlice } from "@kubernetes/client-node";
import { groupVersion } from "../../src/api/api.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { listCollection } from "../../src/kube/list.ts";
import { OversizedObject } from "../../src/kube/oversized-object.ts";
import { endpointSlicesPath } from "../../src/kube/path.ts";
import { InvalidObject, projectObject } from "../../src/kube/view-store.ts";
import { serviceNameLabel } from "../../src/model/endpoint-slice.ts";
import type { NamespaceLimits } from "../../src/settings/controller-settings.ts";
import { ClusterState } from "../observe/cluster-state.ts";
import {
  createSources,
  foreignKey,
  nameOf,
  type Source,
  type SourceOptions,
  type Watched,
} from "../observe/sources.ts";
import { liveSpeakers } from "../owners/liveness.ts";
import { type LeaseHolders, readLeaseHolders } from "./read-leases.ts";

/** A pool, an advertisement or a VirtualIP that cannot be used. */
export interface InvalidView {
  readonly resource: string;
  /** Its name, or its `foreignKey`. */
  readonly key: string;
  readonly name: string;
  readonly invalid: InvalidObject;
  readonly raw: unknown;
}

/** The cluster at one moment, as the controller sees it. */
export interface ClusterSnapshot extends Pick<LeaseHolders, "leader"> {
  /** Nodes whose speaker is alive. */
  readonly live: ReadonlySet<string>;
  readonly watched: Watched;
  readonly invalidViews: readonly InvalidView[];
  readonly clusterState: ClusterState;
  /** Of the Service in the options. Empty without one. */
  readonly slices: readonly V1EndpointSlice[];
}

export interface ReadOptions extends SourceOptions {
  readonly client: ApiClient;
  /** Bellhop's own namespace. */
  readonly namespace: string;
  /** EndpointSlices are read only of this Service: those of a whole cluster are too many. */
  readonly service?: { readonly namespace: string; readonly name: string };
  /** Whether the nodes with ready endpoints are read of every Service. */
  readonly readyNodes?: boolean;
  /** Whether Bellhop's own kinds may be missing: it is not installed yet. They are empty then. */
  readonly beforeInstallation?: boolean;
  /** Receives each object of a collection before it is reduced to its view. */
  readonly inspect?: (resource: string, raw: unknown) => void;
  /** The limits of the controller. */
  readonly limits: NamespaceLimits;
  readonly clock: Clock;
}

/** Lists what the controller watches once, and derives the same state from it. Writes nothing. */
export async function readCluster(options: ReadOptions): Promise<ClusterSnapshot> {
  const { client, namespace, service, clock, inspect } = options;
  const { slices: readyNodes, leases: _apart, ...others } = createSources(namespace, options);
  const sources = options.readyNodes === true ? { ...others, slices: readyNodes } : others;
  const invalidViews: InvalidView[] = [];
  const views: Record<string, Map<string, unknown>> = { slices: new Map(), leases: new Map() };
  const reads = Object.entries(sources).map(async ([resource, source]: [string, Source<unknown>]) => {
    const found = new Map<string, unknown>();
    const mayLack = source.optional === true || (options.beforeInstallation === true && isOwn(source));
    await listSource(client, { ...source, optional: mayLack }, (raw) => {
      inspect?.(resource, raw);
      const view = projectObject(source.project, raw);
      if (view instanceof InvalidObject) {
        invalidViews.push({ resource, key: keyOf(raw), name: nameOf(raw), invalid: view, raw });
      } else if (view !== undefined) found.set(keyOf(raw), view);
    });
    if (source.fallback !== undefined) {
      const refuse = (raw: unknown, invalid: InvalidObject): void => {
        const name = nameOf(raw);
        invalidViews.push({ resource, key: foreignKey(name), name, invalid, raw });
      };
      await readFallback(client, source.fallback, found, refuse);
    }
    views[resource] = found;
  });
  const [{ leader, ...leases }, slices] = await Promise.all([
    readLeaseHolders(client, namespace, clock),
    service === undefined ? [] : readSlices(client, service),
    ...reads,
  ]);
  for (const raw of slices) {
    const view = createSources(namespace, options).slices.project(raw);
    if (view !== undefined) views.slices?.set(keyOf(raw), view);
  }
  const watched = Object.fromEntries(
    Object.entries(views).map(([resource, found]) => [resource, { views: found }]),
  ) as unknown as Watched;
  const live = liveSpeakers(leases, watched.speakers.views.values());
  return {
    live,
    leader,
    watched,
    invalidViews,
    slices,
    clusterState: createClusterState(watched, invalidViews, options),
  };
}

/** The state that the controller would derive from these views. */
export function createClusterState(
  watched: Watched,
  invalidViews: readonly InvalidView[],
  { clock, limits }: Pick<ReadOptions, "clock" | "limits">,
): ClusterState {
  const state = new ClusterState(watched, clock, limits);
  for (const { resource, key, invalid, raw } of invalidViews) {
    if (resource === "pools") state.pools.reject(key, invalid, raw);
    if (resource === "advertisements") state.advertisements.reject(key, invalid, raw);
    if (resource === "virtualIps") state.claims.reject(key, invalid, raw);
  }
  for (const key of watched.services.views.keys()) state.services.observeService(key);
  for (const key of watched.virtualIps.views.keys()) state.claims.observe(key);
  for (const key of watched.nodes.views.keys()) state.nodes.observeNode(key);
  for (const key of watched.speakers.views.keys()) state.nodes.observeSpeaker(key);
  for (const key of watched.slices.views.keys()) state.services.observeSlice(key);
  return state;
}

/** Adds the objects of a fallback collection whose names the first one does not have. */
async function readFallback(
  client: ApiClient,
  source: Source<unknown>,
  found: Map<string, unknown>,
  refuse: (raw: unknown, invalid: InvalidObject) => void,
): Promise<void> {
  await listSource(client, source, (raw) => {
    const view = projectObject(source.project, raw);
    if (view instanceof InvalidObject) refuse(raw, view);
    else if (view !== undefined && !found.has(nameOf(raw))) found.set(nameOf(raw), view);
  });
}

function isOwn({ path }: Source<unknown>): boolean {
  return path.startsWith(`/apis/${groupVersion}/`);
}

/** Hands over the objects of a collection. An optional one that does not exist is empty. */
async function listSource(
  client: ApiClient,
  { path, query = {}, optional }: Source<unknown>,
  take: (raw: unknown) => void,
): Promise<void> {
  try {
    await listCollection(client, { path, query, take });
  } catch (error) {
    if (optional !== true || !isNotFound(error)) throw error;
  }
}

async function readSlices(
  client: ApiClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly V1EndpointSlice[]> {
  const slices: V1EndpointSlice[] = [];
  const query = { labelSelector: `${serviceNameLabel}=${name}` };
  const take = (raw: unknown): void => {
    if (!(raw instanceof OversizedObject)) slices.push(raw as V1EndpointSlice);
  };
  await listCollection(client, { path: endpointSlicesPath(namespace), query, take });
  return slices;
}

/** `namespace/name`, or the name without a namespace, as in reflectors. */
function keyOf(raw: unknown): string {
  const { namespace, name = "" } = (raw as { metadata?: { namespace?: string; name?: string } }).metadata ?? {};
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}
