import type { LabelSelector } from "../../../src/api/api.ts";
import { parseDuration } from "../../../src/api/duration.ts";
import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import type { IpFamily } from "../../../src/ip/address.ts";
import type { IpRange } from "../../../src/ip/range.ts";
import { matchesAnySelector } from "../../../src/model/label-selector.ts";
import { type Reason, reasonOf } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { type PoolEntry, parseEntries } from "./pool-ranges.ts";

/** An IPAddressPool, read and found sound. */
export interface Pool {
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly entries: readonly PoolEntry[];
  /** Of all entries, without what is excluded. */
  readonly ranges: readonly IpRange[];
  readonly excluded: readonly IpRange[];
  /** Undefined: it has addresses of its own. Otherwise those of the nodes that any selector fits, or of all where there is none. */
  readonly nodes:
    | { readonly selectors: readonly LabelSelector[]; readonly reservedPorts: readonly string[] }
    | undefined;
  /** Gives nothing new. */
  readonly draining: boolean;
  /** How long the address of a deleted Service is kept for one of the same name; 0: not at all. */
  readonly holdAfterDeleteMs: number;
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Lower is tried first; Infinity where the user gave none or 0. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
  /** Whether Services of different namespaces may have one of its addresses together. */
  readonly sharedAcrossNamespaces: boolean;
}

export type PoolParse =
  | { readonly pool: Pool; readonly reason?: never; readonly reasons?: never }
  | {
      readonly pool?: never;
      /** The first of the faults. */
      readonly reason: Reason;
      readonly reasons: readonly Reason[];
    };

/** Longer, and a hold would outlast any reason for it. */
const maxHoldMs = 366 * 24 * 3_600_000;

/** One fault sets the whole pool aside: half a pool would hide the mistake until it runs out. */
export function parsePool(raw: IPAddressPool): PoolParse {
  const { metadata, spec } = raw;
  const object = poolObject(metadata.name);
  const { entries, excluded, reasons } = parseEntries(object, spec);
  const hold = spec.holdAfterDelete ?? "0s";
  const holdAfterDeleteMs = parseDuration(hold) ?? Number.POSITIVE_INFINITY;
  const all = [...findKindReasons(object, spec), ...reasons];
  if (holdAfterDeleteMs > maxHoldMs) {
    all.push(reasonOf("PoolHoldInvalid", { object, field: "spec.holdAfterDelete", value: hold }));
  }
  const [reason] = all;
  if (reason !== undefined) return { reason, reasons: all };
  const {
    priority = 0,
    namespaces = [],
    namespaceSelectors = [],
    serviceSelectors = [],
  } = spec.serviceAllocation ?? {};
  return {
    pool: {
      name: metadata.name,
      createdAtMs: Date.parse(metadata.creationTimestamp) || 0,
      labels: metadata.labels,
      entries,
      ranges: entries.flatMap((entry) => entry.ranges),
      excluded,
      nodes:
        spec.nodeAddresses === undefined
          ? undefined
          : {
              selectors: spec.nodeAddresses.nodeSelectors ?? [],
              reservedPorts: spec.nodeAddresses.reservedPorts,
            },
      draining: spec.state === "Draining",
      holdAfterDeleteMs,
      autoAssign: spec.autoAssign,
      avoidBuggyIPs: spec.avoidBuggyIPs,
      priority: priority === 0 ? Number.POSITIVE_INFINITY : priority,
      namespaces,
      namespaceSelectors,
      serviceSelectors,
      sharedAcrossNamespaces: spec.sharing?.acrossNamespaces ?? false,
    },
  };
}

/** A pool has addresses of its own or those of nodes, and what is about the one kind means nothing to the other. */
function findKindReasons(object: string, spec: IPAddressPool["spec"]): readonly Reason[] {
  const { addresses = [], nodeAddresses, exclude, holdAfterDelete } = spec;
  if (nodeAddresses === undefined) {
    return addresses.length > 0 ? [] : [reasonOf("PoolEmpty", { object, field: "spec.addresses", value: "" })];
  }
  const misfits: readonly (readonly [string, string])[] = [
    ...addresses.slice(0, 1).map((text) => ["spec.addresses[0]", text] as const),
    ...exclude.slice(0, 1).map((text) => ["spec.exclude[0]", text] as const),
    ...(holdAfterDelete === undefined ? [] : [["spec.holdAfterDelete", holdAfterDelete] as const]),
  ];
  return misfits.map(([field, value]) => reasonOf("PoolOfNodesMisfit", { object, field, value }));
}

export function poolObject(name: string): string {
  return `IPAddressPool ${name}`;
}

export function poolHasFamily(pool: Pool, family: IpFamily): boolean {
  return pool.ranges.some((range) => range.family === family);
}

/** Whether the pool is kept for some Services only. */
export function isRestricted(pool: Pool): boolean {
  return pool.namespaces.length + pool.namespaceSelectors.length + pool.serviceSelectors.length > 0;
}

/**
 * Why serviceAllocation does not admit the Service: its namespace by name or labels (where either is given), or its own labels
 * (where selectors are given). Undefined: it does.
 */
export function describeAdmissionRefusal(
  pool: Pool,
  service: ServiceView,
  namespaceLabels: Readonly<Record<string, string>>,
): string | undefined {
  const byNamespace =
    pool.namespaces.length + pool.namespaceSelectors.length === 0 ||
    pool.namespaces.includes(service.namespace) ||
    matchesAnySelector(pool.namespaceSelectors, namespaceLabels);
  if (!byNamespace) {
    return `Pool ${pool.name} admits only namespaces ${namespacesText(pool)}, and ${service.namespace} is not one of them.`;
  }
  if (pool.serviceSelectors.length === 0 || matchesAnySelector(pool.serviceSelectors, service.labels)) return undefined;
  return `Pool ${pool.name} admits only Services whose labels match its serviceSelectors.`;
}

function namespacesText({ namespaces, namespaceSelectors }: Pool): string {
  const more = namespaces.length - 5;
  const names = `${namespaces.slice(0, 5).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  if (namespaceSelectors.length === 0) return names;
  return namespaces.length === 0
    ? "that match its namespaceSelectors"
    : `${names} and those that match its namespaceSelectors`;
}

/** The order in which pools are tried: priority, then those kept for some Services, then the name. */
export function comparePools(left: Pool, right: Pool): number {
  if (left.priority !== right.priority) return left.priority < right.priority ? -1 : 1;
  if (isRestricted(left) !== isRestricted(right)) return isRestricted(left) ? -1 : 1;
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}

/** Oldest first; where they are equally old by name. */
export function compareAge(left: Pool, right: Pool): number {
  return left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1);
}
