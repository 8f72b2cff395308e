import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import { compareAddresses, formatAddress, type IpFamily } from "../../../src/ip/address.ts";
import { IntervalSet } from "../../../src/ip/interval-set.ts";
import type { IpRange } from "../../../src/ip/range.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import type { AllocationsReader } from "../../allocate/allocations/address-allocations.ts";
import { type Claim, currentPoolOf } from "../../allocate/claim/claim.ts";
import { parsePool } from "../../allocate/pool/pool.ts";
import type { PoolManifest } from "./manifest.ts";
import type { AffectedAddress, PoolChange, PoolsPlan } from "./pools-plan.ts";

export interface PoolsInput {
  readonly manifests: readonly PoolManifest[];
  /** Pools of the cluster by name. */
  readonly present: ReadonlyMap<string, IPAddressPool>;
  readonly claims: Iterable<Claim>;
  /** The pools as they are, and as they would be. */
  readonly before: AllocationsReader;
  readonly after: AllocationsReader;
}

/** The pools of the cluster once the manifests are applied. An existing pool keeps its age, a new one is the youngest. */
export function poolsAfter(
  present: ReadonlyMap<string, IPAddressPool>,
  manifests: readonly PoolManifest[],
  now: string,
): ReadonlyMap<string, IPAddressPool> {
  const after = new Map(present);
  for (const pool of manifests.flatMap(({ pools }) => pools)) {
    const { name, labels, annotations } = pool.metadata;
    const metadata = present.get(name)?.metadata ?? { ...pool.metadata, creationTimestamp: now };
    after.set(name, { ...pool, metadata: { ...metadata, labels, annotations } });
  }
  return after;
}

/** Says what applying the pools would do. Pure; changes nothing. */
export function planPools({ manifests, present, claims, before, after }: PoolsInput): PoolsPlan {
  const invalid = manifests.flatMap((manifest) => manifest.reasons);
  const rejected = [...after.rejected.values()].filter(({ object }) => {
    return ![...before.rejected.values()].some((known) => known.object === object);
  });
  const planned = new Set(manifests.flatMap(({ pools }) => pools.map(({ metadata }) => metadata.name)));
  // A pool of the files that is rejected now as before is not a success either.
  const stillRejected = [...after.rejected].filter(([name, reason]) => planned.has(name) && !rejected.includes(reason));
  const { outside, moved, leaving } = findAffected(claims, before, after);
  const refused = [...rejected, ...stillRejected.map(([, reason]) => reason)];
  return {
    harmless: invalid.length + refused.length + outside.length + leaving.length === 0,
    invalid,
    pools: manifests.flatMap(({ pools }) =>
      pools.map((pool) => describeChange(pool, present.get(pool.metadata.name), before, after)),
    ),
    rejected: refused,
    restored: [...before.rejected.keys()].filter((name) => !after.rejected.has(name)).sort(),
    outside,
    moved,
    leaving,
    addresses: { IPv4: countChange("IPv4", before, after), IPv6: countChange("IPv6", before, after) },
    skipped: manifests.flatMap((manifest) => manifest.skipped),
  };
}

function describeChange(
  pool: IPAddressPool,
  present: IPAddressPool | undefined,
  allocationsBefore: AllocationsReader,
  allocationsAfter: AllocationsReader,
): PoolChange {
  const same = present !== undefined && JSON.stringify(sorted(pool.spec)) === JSON.stringify(sorted(present.spec));
  return {
    name: pool.metadata.name,
    change: present === undefined ? "new" : same ? "unchanged" : "changed",
    before: present === undefined ? undefined : sizesOf(present, allocationsBefore),
    after: sizesOf(pool, allocationsAfter),
    blocked: allocationsAfter.blockedIn(pool.metadata.name).map(({ address }) => formatAddress(address)),
  };
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Decimal numbers of addresses; of nodes' own addresses those that exist now. Zero for a pool that cannot be read. */
function sizesOf(raw: IPAddressPool, { pools, nodes }: AllocationsReader): Readonly<Record<IpFamily, string>> {
  const ofNodes = pools.find((pool) => pool.name === raw.metadata.name && pool.nodes !== undefined);
  if (ofNodes !== undefined) {
    return { IPv4: String(nodes.of(ofNodes, "IPv4").length), IPv6: String(nodes.of(ofNodes, "IPv6").length) };
  }
  const ranges = parsePool(raw).pool?.ranges ?? [];
  return { IPv4: String(unionOf("IPv4", [ranges]).size), IPv6: String(unionOf("IPv6", [ranges]).size) };
}

function unionOf(family: IpFamily, lists: readonly (readonly IpRange[])[]): IntervalSet {
  const union = new IntervalSet();
  for (const range of lists.flat()) if (range.family === family) union.addRange(range);
  return union;
}

function countChange(family: IpFamily, before: AllocationsReader, after: AllocationsReader) {
  const rangesBefore = before.pools.map(({ ranges }) => ranges);
  const rangesAfter = after.pools.map(({ ranges }) => ranges);
  const all = unionOf(family, [...rangesBefore, ...rangesAfter]).size;
  return {
    added: String(all - unionOf(family, rangesBefore).size),
    removed: String(all - unionOf(family, rangesAfter).size),
  };
}

/** Ignores addresses that were in no pool before. */
function findAffected(claims: Iterable<Claim>, before: AllocationsReader, after: AllocationsReader) {
  const outside: AffectedAddress[] = [];
  const moved: AffectedAddress[] = [];
  const leaving: AffectedAddress[] = [];
  for (const claim of [...claims].sort((a, b) => compareAddresses(a.address, b.address))) {
    const from = currentPoolOf(before, claim)?.name;
    const to = currentPoolOf(after, claim)?.name;
    if (from === to || from === undefined) continue;
    const affected = { address: formatAddress(claim.address), services: claim.services.map(serviceKeyOf), from, to };
    if (losesNode(after, claim, from)) leaving.push(affected);
    else (to === undefined ? outside : moved).push(affected);
  }
  return { outside, moved, leaving };
}

/** Whether it is a node's own address that its Services would lose, because their pool has other nodes for them. */
function losesNode(
  { pools, nodes }: AllocationsReader,
  { node, address: { family } }: Claim,
  poolName: string,
): boolean {
  const pool = pools.find(({ name }) => name === poolName);
  return node !== undefined && pool?.nodes !== undefined && nodes.of(pool, family).length > 0;
}
