import type { IpAddress, IpFamily } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { allocate } from "../allocate/allocate.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import { parseRequest } from "../allocate/claim/request.ts";
import { serviceAnnotation } from "../allocate/claim/service-annotations.ts";
import { describeAdmissionRefusal, isAvoided } from "../allocate/pool/pool.ts";

/** A Service of ours that is not being deleted, and the labels of its namespace. */
export interface ServedService {
  readonly service: ServiceView;
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

/** The Services of ours, for plans that concern several of them. */
export interface ServedServices {
  of(key: string): ServedService | undefined;
  /** Keys of the Services that request the address. */
  requesting(address: IpAddress): Iterable<string>;
}

/** An address that the Service gives up, and the Service that requests it. */
export interface SwapStep {
  readonly claim: Claim;
  readonly next: ServiceView;
}

/** How long an address that is given up is kept for the Service that requests it: enough for a controller that has just taken over. */
export const swapHoldMs = 30_000;

/** What a Service has to do because Services have each other's requested addresses: each would wait for the next one for ever. */
export interface Swap {
  /** The addresses that this Service must give up. */
  readonly steps: readonly SwapStep[];
  /** Keys of other Services that must give up addresses first. */
  readonly firsts: readonly string[];
}

/** Services of which each requests the address that the next one has alone, and the last one that of the first. */
interface Ring {
  readonly family: IpFamily;
  readonly members: readonly ServedService[];
  /** The key of the Service that gives up its address first. */
  readonly first: string;
  /** What the Service for which the ring was found would do. */
  readonly step: SwapStep;
}

/**
 * Finds the rings of Services that this one is in, one at most for each of the families in which it lacks what it requests. In each ring
 * the Service with the first key gives up its address, and all others get theirs before they give up the old one. Where a Service of a
 * ring could not have the address that it requests, all of them keep what they have.
 */
export function findSwap(
  allocations: AllocationsReader,
  served: ServedServices,
  service: ServiceView,
  families: readonly IpFamily[],
): Swap {
  const rings = families
    .flatMap((family) => findRing(allocations, served, service, family) ?? [])
    .filter((ring) => canComplete(allocations, served, ring));
  return {
    steps: rings.flatMap(({ first, step }) => (first === service.key ? step : [])),
    firsts: rings.flatMap(({ first }) => (first === service.key ? [] : first)),
  };
}

function findRing(
  allocations: AllocationsReader,
  served: ServedServices,
  service: ServiceView,
  family: IpFamily,
): Ring | undefined {
  let key = service.key;
  const members = new Map<string, ServedService>();
  for (;;) {
    const member = served.of(key);
    if (member === undefined || members.has(key)) return undefined;
    members.set(key, member);
    const wanted = parseRequest(member.service).requested?.get(family)?.address;
    if (wanted === undefined || !mayRequest(allocations, member, wanted)) return undefined;
    const claim = allocations.claimAt(wanted);
    const holder = claim === undefined ? undefined : soleHolderOf(claim);
    if (claim === undefined || holder === undefined || holder === key) return undefined;
    if (holder === service.key) {
      const first = [...members.keys()].sort()[0] ?? key;
      return { family, members: [...members.values()], first, step: { claim, next: member.service } };
    }
    key = holder;
  }
}

/**
 * Whether each Service of the ring would be assigned the address that it requests: one that requires a second family is not while that
 * one is refused, except where another ring that can be completed provides it.
 */
function canComplete(
  allocations: AllocationsReader,
  served: ServedServices,
  ring: Ring,
  // Rings that depend on each other are completed together.
  assumed: ReadonlySet<string> = new Set(),
): boolean {
  const known = new Set([...assumed, nameOf(ring)]);
  return ring.members.every(({ service, namespaceLabels }) => {
    const { refusals } = allocate(allocations, service, namespaceLabels);
    if (refusals === undefined) return false;
    const requested = parseRequest(service).requested;
    return service.ipFamilies.every((family) => {
      if (family === ring.family || !refusals.has(family)) return true;
      if (service.ipFamilyPolicy === "PreferDualStack" && requested?.has(family) !== true) return true;
      const other = findRing(allocations, served, service, family);
      return other !== undefined && (known.has(nameOf(other)) || canComplete(allocations, served, other, known));
    });
  });
}

/** A Service is in one ring of each family at most. */
function nameOf({ family, first }: Ring): string {
  return `${family} ${first}`;
}

/** The key of the Service that has the address alone. */
function soleHolderOf(claim: Claim): string | undefined {
  const [holder, ...others] = claim.services;
  const alone = claim.managed && isInUse(claim) && claim.node === undefined && others.length === 0;
  return alone && holder !== undefined ? serviceKeyOf(holder) : undefined;
}

/** Whether the address would be assigned to the Service if no other one had it. */
function mayRequest(
  allocations: AllocationsReader,
  { service, namespaceLabels }: ServedService,
  address: IpAddress,
): boolean {
  const pool = allocations.poolOf(address);
  const named = serviceAnnotation(service, "pool")?.text;
  return (
    pool !== undefined &&
    !pool.draining &&
    (named === undefined || named === pool.name) &&
    describeAdmissionRefusal(pool, service, namespaceLabels) === undefined &&
    !isAvoided(pool, address) &&
    allocations.blockedBy(address, service) === undefined &&
    allocations.shownElsewhere(address, service.key) === undefined
  );
}

/** The Service that an address passes to which this Service leaves during a swap: the oldest that requests it and may have it. */
export function nextHolder(
  allocations: AllocationsReader,
  served: ServedServices,
  service: ServiceView,
  { address, name }: Claim,
): ServiceView | undefined {
  const waiting = [...served.requesting(address)].flatMap((key) => {
    const member = key === service.key ? undefined : served.of(key);
    return member !== undefined && mayRequest(allocations, member, address) ? member.service : [];
  });
  waiting.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1));
  return waiting.find(({ key }) => !allocations.claimsOf(key).some((claim) => claim.name === name));
}
