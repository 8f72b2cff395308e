/** What the user has requested so far, kept as simply as possible: the reference that the controller is compared with. */

export type Family = "IPv4" | "IPv6";

export interface ModelPool {
  readonly name: string;
  /** Without those that it excludes. */
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  /** It gives nothing new. */
  readonly draining: boolean;
  /** How long it keeps the address of a Service that went; 0: not at all. */
  readonly holdMs: number;
  /** Whether it serves only namespaces that are not restricted. */
  readonly unrestrictedOnly: boolean;
  /** Of two pools the one with the lower number was made first. */
  readonly born: number;
}

/** The class of a Service: none, ours, or that of another load balancer. */
export type ServiceClass = "none" | "ours" | "theirs";

/** The condition of the other load balancer. */
export const otherCondition = "example.com/Programmed";

/** What a Service requests in annotations and fields. */
export interface Requests {
  /** One address. */
  readonly wanted: string | undefined;
  readonly pool: string | undefined;
  /** The sharing key. */
  readonly share: string | undefined;
}

/** Whose words the user writes them in. */
export type Dialect = "field" | "bellhop.dev" | "metallb.io" | "metallb.universe.tf";

/** Only the requests that count are in it; MetalLB's annotations do only where the controller honours them. */
export interface ModelService extends Requests {
  readonly name: string;
  readonly type: "LoadBalancer" | "ClusterIP";
  readonly class: ServiceClass;
  readonly families: readonly Family[];
  readonly policy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  readonly port: number;
  readonly said: Requests & { readonly dialect: Dialect };
  /** The text by which it requests another address. */
  readonly reassign: string | undefined;
}

/** An address as a Service showed it when all was quiet. */
export interface Given {
  /** The pool that it came from. */
  readonly pool: string | undefined;
  /** The text of bellhop.dev/reassign that it was assigned for. */
  readonly reassigned: string | undefined;
  /** Whether others had it too. */
  readonly shared: boolean;
  /** The sharing key that the Service had. */
  readonly key: string | undefined;
  /** Whether a VirtualIP said that the Service has it. */
  readonly claimed: boolean;
}

/** An address that is kept for the name of a Service that went. Monotonic times: not released before, not kept after. */
export interface Hold {
  readonly name: string;
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** A Service that was deleted, or left type LoadBalancer, since all was quiet. */
export interface Departure {
  /** The first time, where it went several times. */
  readonly atMs: number;
  readonly shown: readonly string[];
  /** Those of them that other Services may have had or joined. */
  readonly shareable: ReadonlySet<string>;
  /** What it requested: while it is away, that may be kept for it for a short while, as for a Service that exchanges addresses. */
  readonly wanted: string | undefined;
  /** Whether nothing else has happened since that may have taken those addresses from it. */
  readonly sure: boolean;
  /** How far the wall clock has been set back since. */
  readonly setBackMs: number;
}

export interface Model {
  /** Whether the controllers honour MetalLB's objects and annotations. */
  readonly metallb: boolean;
  /** Whether the namespace of the Services is one that some pools do not serve. */
  readonly restricted: boolean;
  /** Whether Services without a class are Bellhop's. */
  defaultClass: boolean;
  /** What the other load balancer has written last into the status of a Service that may still show it. */
  readonly written: Map<string, readonly string[]>;
  /** All addresses that each Service showed by its hand at any time since everything was last quiet. */
  readonly writtenSince: Map<string, ReadonlySet<string>>;
  /** Services that the other load balancer has ever written to, and those to which it has added the finalizer. */
  readonly visited: Set<string>;
  readonly finalized: Set<string>;
  /** Services that have ever had an address from Bellhop when all was quiet. */
  readonly claimed: Set<string>;
  /** Services whose status was emptied because they left type LoadBalancer for a while. */
  readonly emptied: Set<string>;
  /** VirtualIPs that are not valid claims, by name, and the addresses that each takes out of use. */
  readonly invalid: Map<string, readonly string[]>;
  readonly pools: Map<string, ModelPool>;
  readonly metallbPools: Map<string, ModelPool>;
  readonly services: Map<string, ModelService>;
  /** VirtualIPs made by hand: the Service that each is for; undefined: none. */
  readonly reservations: Map<string, string | undefined>;
  readonly holds: Map<string, Hold>;
  readonly departures: Map<string, Departure>;
  /** How often the user has changed each Service since everything was last quiet. */
  readonly touched: Map<string, number>;
  /** VirtualIPs that the user has deleted since then. */
  readonly lost: Set<string>;
  /** Addresses that Services showed then. */
  readonly shown: Map<string, ReadonlyMap<string, Given>>;
  /** How often pools have changed since then. */
  poolsTouched: number;
  /** How many pools were made. */
  births: number;
}

export function emptyModel(metallb: boolean, restricted: boolean): Model {
  return {
    metallb,
    restricted,
    defaultClass: true,
    written: new Map(),
    writtenSince: new Map(),
    visited: new Set(),
    finalized: new Set(),
    claimed: new Set(),
    emptied: new Set(),
    invalid: new Map(),
    pools: new Map(),
    metallbPools: new Map(),
    services: new Map(),
    reservations: new Map(),
    holds: new Map(),
    departures: new Map(),
    touched: new Map(),
    lost: new Set(),
    shown: new Map(),
    poolsTouched: 0,
    births: 0,
  };
}

export function touch(model: Model, name: string): void {
  model.touched.set(name, (model.touched.get(name) ?? 0) + 1);
}

/** Notes that the Service goes; call it before the model forgets it. */
export function depart(model: Model, name: string, atMs: number): void {
  const given = [...(model.shown.get(name) ?? [])];
  const shown = given.flatMap(([address, { claimed }]) => (claimed ? [address] : []));
  const shareable = new Set(given.flatMap(([address, { key }]) => (key === undefined ? [] : [address])));
  const before = model.departures.get(name);
  const sure = !model.touched.has(name) && before === undefined && !shown.some((a) => model.lost.has(a));
  const setBackMs = before?.setBackMs ?? 0;
  const wanted = model.services.get(name)?.wanted ?? before?.wanted;
  model.departures.set(name, { atMs: before?.atMs ?? atMs, shown, shareable, wanted, sure, setBackMs });
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** Whether Bellhop is to assign it addresses. */
export function isServed(model: Model, service: ModelService): boolean {
  const ours = service.class === "ours" || (service.class === "none" && model.defaultClass);
  return service.type === "LoadBalancer" && ours;
}

/** Whether a VirtualIP that is not a valid claim takes the address out of use. */
export function isBlocked(model: Model, address: string): boolean {
  return [...model.invalid.values()].some((addresses) => addresses.includes(address));
}

/** Whether the other load balancer has written the address into the status of another Service. */
export function isWrittenElsewhere(model: Model, service: ModelService, address: string): boolean {
  return [...model.written].some(([name, addresses]) => name !== service.name && addresses.includes(address));
}

/** Whether the other load balancer had the address in the status of a Service of another name at any time since everything was quiet. */
export function wasWrittenElsewhere({ writtenSince }: Model, name: string, address: string): boolean {
  return [...writtenSince].some(([other, addresses]) => other !== name && addresses.has(address));
}

/** Whether the user lets the two have an address together. */
export function mayShare(left: ModelService, right: ModelService): boolean {
  return left.share !== undefined && left.share === right.share && left.port !== right.port;
}

/** Usable pools: of any that overlap the one that was created first. One of MetalLB's counts where none of ours has its name. */
export function usablePools(model: Model): readonly ModelPool[] {
  const others = [...model.metallbPools.values()].filter(({ name }) => !model.pools.has(name));
  const byAge = [...model.pools.values(), ...others].sort((left, right) => left.born - right.born);
  const usable: ModelPool[] = [];
  for (const pool of byAge) {
    const overlaps = usable.some(({ addresses }) => addresses.some((address) => pool.addresses.includes(address)));
    if (!overlaps) usable.push(pool);
  }
  return usable;
}

export function poolOf(model: Model, address: string): ModelPool | undefined {
  return usablePools(model).find((pool) => pool.addresses.includes(address));
}

function wantedIn(service: ModelService, family: Family): string | undefined {
  return service.wanted !== undefined && familyOf(service.wanted) === family ? service.wanted : undefined;
}

/**
 * Whether the Service may be given the address, as far as it is for pools and the user's reservations to say. `returns`: it was held for
 * its name, so the pool need not assign without a request.
 */
export function mayBeGiven(model: Model, service: ModelService, address: string, returns = false): boolean {
  // It is the claim of the Service already.
  if (model.reservations.has(address)) return model.reservations.get(address) === service.name;
  if (isBlocked(model, address) || isWrittenElsewhere(model, service, address)) return false;
  const pool = poolOf(model, address);
  if (pool === undefined || pool.draining || (pool.unrestrictedOnly && model.restricted)) return false;
  if (service.pool !== undefined) return pool.name === service.pool;
  return returns || pool.autoAssign || service.wanted === address;
}

/**
 * An address of the family that this Service could get now and that no Service has; undefined: there is none, and waiting is
 * right. `keeps`: it has another one, which is not what it requests.
 * Addresses that might be shared are left out: not assigning them violates neither uniqueness nor loss.
 */
export function findFree(
  model: Model,
  service: ModelService,
  family: Family,
  taken: ReadonlySet<string>,
  keeps = false,
): string | undefined {
  const wanted = wantedIn(service, family);
  // Only a request moves a Service to a reservation from another address that it has.
  const reserved = keeps && wanted === undefined ? [] : [...model.reservations.keys()];
  const pooled = usablePools(model).flatMap((pool) => pool.addresses);
  return [...reserved, ...pooled.filter((address) => !model.reservations.has(address))].find(
    (address) =>
      familyOf(address) === family &&
      (wanted === undefined || wanted === address) &&
      (!taken.has(address) || model.reservations.has(address) || model.holds.get(address)?.name === service.name) &&
      mayBeGiven(model, service, address),
  );
}

/** Whether the address is what the Service requests; one that came from a pool counts as being from there until another has it. */
export function fits(model: Model, service: ModelService, address: string, given: Given | undefined): boolean {
  const wanted = wantedIn(service, familyOf(address));
  if (wanted !== undefined) return address === wanted;
  if (model.reservations.get(address) === service.name) return true;
  return service.pool === undefined || (poolOf(model, address)?.name ?? given?.pool) === service.pool;
}

/** Whether the Service requests to leave the address, which was assigned for another text or for none. */
export function mustLeave(model: Model, service: ModelService, address: string, given: Given | undefined): boolean {
  if (service.reassign === undefined || service.reassign === given?.reassigned) return false;
  return service.wanted !== address && !model.reservations.has(address);
}
