import type { LabelSelector } from "../../../src/api/api.ts";
import { parseDuration } from "../../../src/api/duration.ts";
import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import type { IpRange } from "../../../src/ip/range.ts";
import type { Forwarding } from "../../../src/model/forwarding.ts";
import type { IpMode } from "../../../src/model/ip-mode.ts";
import { matchesAnySelector } from "../../../src/model/label-selector.ts";
import { listSome } from "../../../src/model/list-some.ts";
import { type Reason, reasonOf } from "../../../src/model/reason.ts";
import { maxLabels, type ServiceView } from "../../../src/model/service.ts";
import { type PoolEntry, parseEntries } from "./pool-ranges.ts";

/** A valid IPAddressPool. */
export interface Pool {
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly entries: readonly PoolEntry[];
  /** The ranges of all entries, without what is excluded. */
  readonly ranges: readonly IpRange[];
  readonly excluded: readonly IpRange[];
  /** Whether it may contain addresses of pod CIDRs of nodes. */
  readonly mayOverlapPods: boolean;
  /** Undefined: the pool has addresses of its own. Otherwise it has those of the nodes that any selector matches, or of all nodes. */
  readonly nodes:
    | {
        readonly selectors: readonly LabelSelector[];
        /** Ports and ranges of ports that Services may use, without those of `reservedPorts`. */
        readonly allowedPorts: readonly string[];
        readonly reservedPorts: readonly string[];
      }
    | undefined;
  /** Assigns no new addresses. */
  readonly draining: boolean;
  /** How long the address of a deleted Service is held for one of the same name; 0: not at all. */
  readonly holdAfterDeleteMs: number;
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Lower is tried first. Infinity where it is unset or 0. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
  /** Whether Services of different namespaces may share one of its addresses. */
  readonly sharedAcrossNamespaces: boolean;
  /** How traffic reaches the pods of Services that request nothing. Never set where `nodes` is. */
  readonly forwarding: Forwarding | undefined;
  /** The ipMode of its addresses in the status of Services that request none. Never set where `nodes` is. */
  readonly ipMode: IpMode | undefined;
}

export type PoolParse =
  | { readonly pool: Pool; readonly reason?: never; readonly reasons?: never }
  | {
      readonly pool?: never;
      /** The first of the reasons. */
      readonly reason: Reason;
      readonly reasons: readonly Reason[];
    };

/** A year. A longer hold is a mistake. */
const maxHoldMs = 366 * 24 * 3_600_000;

/** One mistake rejects the whole pool: half a pool would hide the mistake until it is exhausted. */
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
  const ranges = entries.flatMap((entry) => entry.ranges);
  if (all.length === 0 && entries.length > 0 && ranges.length === 0) {
    all.push(reasonOf("PoolAllExcluded", { object, field: "spec.exclude", value: spec.exclude.join(", ") }));
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
      ranges,
      excluded,
      mayOverlapPods: spec.allowOverlap.includes("PodCIDR"),
      nodes:
        spec.nodeAddresses === undefined
          ? undefined
          : {
              selectors: spec.nodeAddresses.nodeSelectors ?? [],
              allowedPorts: spec.nodeAddresses.allowedPorts,
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
      forwarding: spec.forwarding,
      ipMode: spec.ipMode,
    },
  };
}

/** A pool has either addresses of its own or nodes' own addresses. Fields for the other kind are mistakes. */
function findKindReasons(object: string, spec: IPAddressPool["spec"]): readonly Reason[] {
  const { addresses = [], nodeAddresses, exclude, holdAfterDelete, forwarding, ipMode } = spec;
  if (nodeAddresses === undefined) {
    return addresses.length > 0 ? [] : [reasonOf("PoolEmpty", { object, field: "spec.addresses", value: "" })];
  }
  const misfits: readonly (readonly [string, string])[] = [
    ...addresses.slice(0, 1).map((text) => ["spec.addresses[0]", text] as const),
    ...exclude.slice(0, 1).map((text) => ["spec.exclude[0]", text] as const),
    ...(holdAfterDelete === undefined ? [] : [["spec.holdAfterDelete", holdAfterDelete] as const]),
    ...(forwarding === undefined ? [] : [["spec.forwarding", forwarding] as const]),
    ...(ipMode === undefined ? [] : [["spec.ipMode", ipMode] as const]),
  ];
  return misfits.map(([field, value]) => reasonOf("PoolOfNodesMisfit", { object, field, value }));
}

export function poolObject(name: string): string {
  return `IPAddressPool ${name}`;
}

export function poolHasFamily(pool: Pool, family: IpFamily): boolean {
  return pool.ranges.some((range) => range.family === family);
}

/** Whether the pool never assigns an address of its own because of avoidBuggyIPs. One that is in use already stays. */
export function isAvoided({ avoidBuggyIPs }: Pick<Pool, "avoidBuggyIPs">, { family, value }: IpAddress): boolean {
  const octet = value & 0xffn;
  return avoidBuggyIPs && family === "IPv4" && (octet === 0n || octet === 255n);
}

/** Whether serviceAllocation restricts the pool to some Services. */
export function isRestricted(pool: Pool): boolean {
  return pool.namespaces.length + pool.namespaceSelectors.length + pool.serviceSelectors.length > 0;
}

/**
 * Why serviceAllocation does not admit the Service: because of its namespace, by name or labels (where either is set), or because of its
 * own labels (where selectors are set). Undefined: it admits the Service.
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
  if (pool.serviceSelectors.length === 0) return undefined;
  if (service.hasTooManyLabels)
    return `Pool ${pool.name} admits only Services whose labels match its serviceSelectors, and of one with more than ${maxLabels} labels none are read.`;
  if (matchesAnySelector(pool.serviceSelectors, service.labels)) return undefined;
  return `Pool ${pool.name} admits only Services whose labels match its serviceSelectors.`;
}

function namespacesText({ namespaces, namespaceSelectors }: Pool): string {
  const names = listSome(namespaces);
  if (namespaceSelectors.length === 0) return names;
  return namespaces.length === 0
    ? "with labels that match its namespaceSelectors"
    : `${names}, or with labels that match its namespaceSelectors`;
}

/** The order in which pools are tried: by priority, restricted pools first, then by name. */
export function comparePools(left: Pool, right: Pool): number {
  if (left.priority !== right.priority) return left.priority < right.priority ? -1 : 1;
  if (isRestricted(left) !== isRestricted(right)) return isRestricted(left) ? -1 : 1;
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}

/** Oldest first, then by name. */
export function compareAge(left: Pool, right: Pool): number {
  return left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1);
}
