/** What the user has asked for so far, kept as simply as it can be: the reference that the controller is held against. */

export type Family = "IPv4" | "IPv6";

export interface ModelPool {
  readonly name: string;
  /** Without those that it excludes. */
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  /** It gives nothing new. */
  readonly draining: boolean;
}

export interface ModelService {
  readonly name: string;
  readonly type: "LoadBalancer" | "ClusterIP";
  readonly foreign: boolean;
  readonly families: readonly Family[];
  readonly policy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  /** One address that it asks for. */
  readonly wanted: string | undefined;
  /** The pool that it names. */
  readonly pool: string | undefined;
  /** Its sharing key. */
  readonly share: string | undefined;
  readonly port: number;
}

export interface Model {
  readonly pools: Map<string, ModelPool>;
  readonly services: Map<string, ModelService>;
  /** Services that the user has changed since everything was last quiet. */
  readonly touched: Set<string>;
  /** Addresses that Services showed then, with the pools that they came from. */
  readonly shown: Map<string, ReadonlyMap<string, string | undefined>>;
}

export function emptyModel(): Model {
  return { pools: new Map(), services: new Map(), touched: new Set(), shown: new Map() };
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** Whether Bellhop is to give it addresses. */
export function isServed(service: ModelService): boolean {
  return service.type === "LoadBalancer" && !service.foreign;
}

/** Whether the user lets the two have an address together. */
export function mayShare(left: ModelService, right: ModelService): boolean {
  return left.share !== undefined && left.share === right.share && left.port !== right.port;
}

export function poolOf(model: Model, address: string): ModelPool | undefined {
  return [...model.pools.values()].find((pool) => pool.addresses.includes(address));
}

/**
 * An address that this Service could be given now in the family, where nobody has it; undefined: there is none, and waiting is
 * right. Addresses that might be shared are left out: that they are not given is no fault of uniqueness or loss.
 */
export function findFree(
  model: Model,
  service: ModelService,
  family: Family,
  taken: ReadonlySet<string>,
): string | undefined {
  const wanted = service.wanted !== undefined && familyOf(service.wanted) === family ? service.wanted : undefined;
  const giving = [...model.pools.values()].filter(({ draining }) => !draining);
  const pools = giving.filter((pool) =>
    service.pool === undefined ? pool.autoAssign || wanted !== undefined : pool.name === service.pool,
  );
  const addresses = pools.flatMap((pool) => pool.addresses).filter((address) => familyOf(address) === family);
  return addresses.find((address) => (wanted === undefined || address === wanted) && !taken.has(address));
}

/** Whether the address, which came from that pool, is what the Service asks for. */
export function fits(model: Model, service: ModelService, address: string, origin: string | undefined): boolean {
  const { wanted, pool } = service;
  if (wanted !== undefined && familyOf(wanted) === familyOf(address)) return address === wanted;
  // An address stays when its pool shrinks or goes.
  return pool === undefined || pool === origin || pool === poolOf(model, address)?.name;
}
