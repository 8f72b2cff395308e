import type { V1DaemonSet, V1Service } from "@kubernetes/client-node";
import { timeText } from "../../src/api/api.ts";
import { ApiError, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { listCollection } from "../../src/kube/list.ts";
import { collections, metallbPath } from "../../src/kube/path.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { withoutAddressesOf } from "../explain/migration/addresses-on-interfaces.ts";
import type { BgpAdvertisement } from "../explain/migration/bgp-only.ts";
import type { MigrationInput } from "../explain/migration/migration-input.ts";
import { findServedBy } from "../explain/migration/served-by.ts";
import { marksOf, type ServiceMarks, serviceLbPrefix } from "../explain/migration/service-marks.ts";
import type { PoolManifest } from "../explain/pools/manifest.ts";
import { poolsAfter } from "../explain/pools/plan-pools.ts";
import { createClusterState, type ReadOptions, readCluster } from "./read-cluster.ts";

export interface LoadMigrationOptions extends ReadOptions {
  readonly defaultClass: boolean;
  readonly leaveClasses: readonly string[];
  readonly manifests: readonly PoolManifest[];
}

/** Reads everything that decides what each Service would get from Bellhop, which need not be installed. Writes nothing. */
export async function loadMigrationInput(options: LoadMigrationOptions): Promise<MigrationInput> {
  const { client, metallb, manifests, clock, defaultClass, leaveClasses } = options;
  const marks = new Map<string, ServiceMarks>();
  const inspect = (resource: string, raw: unknown): void => {
    const service = raw as V1Service;
    if (resource !== "services" || service.spec?.type !== "LoadBalancer") return;
    const { namespace = "", name = "" } = service.metadata ?? {};
    marks.set(serviceKeyOf({ namespace, name }), marksOf(service));
  };
  const unknown: string[] = [];
  const [snapshot, serviceLb, bgp] = await Promise.all([
    readCluster({ ...options, beforeInstallation: true, readyNodes: true, inspect }),
    readServiceLb(client, unknown),
    metallb === undefined ? [] : readBgp(client, metallb.namespace, unknown),
  ]);
  const { watched, invalidViews, live } = snapshot;
  const services = [...watched.services.views.values()];
  const pools = poolsAfter(watched.pools.views, manifests, timeText(clock.wallMs()));
  const kept = invalidViews.filter(({ resource, name }) => resource !== "pools" || !pools.has(name));
  const ofKubeVip = services.filter((service) => isOfKubeVip(service, marks.get(service.key)));
  const { speakers, onInterfaces } = withoutAddressesOf(ofKubeVip, watched.speakers.views, watched.nodes.views);
  const state = createClusterState(
    { ...watched, pools: { views: pools }, speakers: { views: speakers } },
    kept,
    options,
  );
  return {
    services,
    marks,
    serviceLb,
    namespaceLabels: (namespace) => watched.namespaces.views.get(namespace)?.labels ?? {},
    defaultClass,
    metallb,
    leaveClasses,
    manifests,
    pools,
    allocations: state.currentAllocations(),
    candidates: state.candidateInput(live),
    bgp,
    onInterfaces,
    unreadable: invalidViews.filter(({ resource }) => resource === "services").map(({ key }) => key),
    unknown,
  };
}

/** The Services that ServiceLB has a DaemonSet for, by its labels. */
async function readServiceLb(client: ApiClient, unknown: string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const query = { labelSelector: `${serviceLbPrefix}svcname` };
  const take = (raw: unknown): void => {
    const { labels = {} } = (raw as V1DaemonSet).metadata ?? {};
    const namespace = labels[`${serviceLbPrefix}svcnamespace`] ?? "";
    const name = labels[`${serviceLbPrefix}svcname`] ?? "";
    found.add(serviceKeyOf({ namespace, name }));
  };
  await listIfAllowed(client, { path: collections.daemonSets, query, take }, () =>
    unknown.push("This user may not list DaemonSets, so Services of ServiceLB may not be recognised."),
  );
  return found;
}

async function readBgp(client: ApiClient, namespace: string, unknown: string[]): Promise<readonly BgpAdvertisement[]> {
  const found: BgpAdvertisement[] = [];
  const take = (raw: unknown): void => {
    const { spec } = raw as { readonly spec?: Partial<BgpAdvertisement> | null };
    const { ipAddressPools, ipAddressPoolSelectors } = spec ?? {};
    found.push({ ipAddressPools: ipAddressPools ?? [], ipAddressPoolSelectors: ipAddressPoolSelectors ?? [] });
  };
  await listIfAllowed(client, { path: metallbPath(namespace, "bgpadvertisements"), take }, () =>
    unknown.push(
      "This user may not list BGPAdvertisements, so pools that MetalLB announces by BGP are not recognised.",
    ),
  );
  return found;
}

/** A collection that does not exist is empty. */
async function listIfAllowed(
  client: ApiClient,
  list: Parameters<typeof listCollection>[1],
  refused: () => void,
): Promise<void> {
  try {
    await listCollection(client, list);
  } catch (error) {
    if (isNotFound(error)) return;
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    refused();
  }
}

function isOfKubeVip(service: ServiceView, marks: ServiceMarks | undefined): boolean {
  if (marks === undefined || service.type !== "LoadBalancer") return false;
  return findServedBy({ service, marks, claims: [], hasServiceLbDaemonSet: false })?.name === "kube-vip";
}
