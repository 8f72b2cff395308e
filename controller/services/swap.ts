import type { IpAddress, IpFamily } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import { parseRequest } from "../allocate/claim/request.ts";
import { serviceAnnotation } from "../allocate/claim/service-annotations.ts";
import { describeAdmissionRefusal } from "../allocate/pool/pool.ts";

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

/**
 * Finds the rings of Services that this one is in, one for each family at most. In each ring the Service with the first key gives up its
 * address, and all others get theirs before they give up the old one.
 */
export function findSwap(allocations: AllocationsReader, served: ServedServices, service: ServiceView): Swap {
  const rings = service.ipFamilies.flatMap((family) => findRing(allocations, served, service, family) ?? []);
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
): { readonly first: string; readonly step: SwapStep } | undefined {
  let key = service.key;
  const seen = new Set<string>();
  for (;;) {
    const member = served.of(key);
    if (member === undefined || seen.has(key)) return undefined;
    seen.add(key);
    const wanted = parseRequest(member.service).requested?.get(family)?.address;
    if (wanted === undefined || !mayRequest(allocations, member, wanted)) return undefined;
    const claim = allocations.claimAt(wanted);
    const holder = claim === undefined ? undefined : soleHolderOf(claim);
    if (claim === undefined || holder === undefined || holder === key) return undefined;
    if (holder === service.key) return { first: [...seen].sort()[0] ?? key, step: { claim, next: member.service } };
    key = holder;
  }
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
    allocations.blockedBy(address, service) === undefined
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
