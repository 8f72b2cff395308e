import { NameIndex } from "../../../src/index/name-index.ts";
import {
  compareAddresses,
  formatAddress,
  type IpAddress,
  type IpFamily,
  virtualIpName,
} from "../../../src/ip/address.ts";
import { RangeMap } from "../../../src/ip/range-map.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { describeService, serviceKeyOf, serviceNameOf } from "../../../src/model/service-reference.ts";
import { defaultNamespaceLimits, type NamespaceLimits } from "../../../src/settings/controller-settings.ts";
import { type Claim, currentPoolOf, isInUse } from "../claim/claim.ts";
import { sharingOf } from "../claim/sharing.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolSet } from "../pool/pool-set.ts";
import { type BlockedAddress, BlockedAddresses } from "./blocked-addresses.ts";
import { type FamilyCount, FreeAddresses } from "./free-addresses.ts";
import { NodeAddresses } from "./node-addresses.ts";
import { ShownAddresses, type ShownStatus } from "./shown-addresses.ts";

/** What `allocate` reads. */
export interface AllocationsReader {
  /** Usable pools, in the order in which they are tried. */
  readonly pools: readonly Pool[];
  readonly rejected: ReadonlyMap<string, Reason>;
  claimAt(address: IpAddress): Claim | undefined;
  /** Every claim that names this Service, whatever the uid. */
  claimsOf(serviceKey: string): readonly Claim[];
  /** Every claim of Services with this sharing key, whatever their namespace. */
  claimsSharing(key: string): readonly Claim[];
  /**
   * What uses the address although no VirtualIP claims it: a node, or spec.externalIPs of a Service. With `readerNamespace`, Services of
   * other namespaces are not named.
   */
  blockedBy(address: IpAddress, reader?: ServiceView): string | undefined;
  /** Addresses of a pool that cannot be assigned because nodes or spec.externalIPs use them. Sorted. */
  blockedIn(poolName: string): readonly BlockedAddress[];
  /** Whether the address is blocked by a VirtualIP that is not valid: the Service that has it is unknown. */
  hasInvalidClaim(address: IpAddress): boolean;
  /** Another Service that shows the address in its status, without a claim that names it. As a sentence. */
  shownElsewhere(address: IpAddress, serviceKey: string): string | undefined;
  /** The usable pool with the address in its ranges. Not for nodes' own addresses: see `nodes.poolAt`. */
  poolOf(address: IpAddress): Pool | undefined;
  /** The lowest free address of a pool. */
  firstFree(pool: Pool, family: IpFamily): IpAddress | undefined;
  /** Whether one more address may be held for a name in this namespace. */
  mayHold(namespace: string): boolean;
  /** The nodes' own addresses, and the pools of them. */
  readonly nodes: NodeAddresses;
  /** Nodes with ready endpoints of a Service. */
  readyNodesOf(serviceKey: string): ReadonlySet<string>;
}

/** Which nodes have ready endpoints of a Service. */
export interface ReadyNodesReader {
  of(serviceKey: string): ReadonlySet<string>;
}

/** What has changed since the changes were last taken. */
export interface AllocationChanges {
  /** Names of the pools whose counts may have changed. */
  readonly pools: ReadonlySet<string>;
  /** Whether an address may have become free, or Services that wait may have another reason. */
  readonly freed: boolean;
  /** Names of the claims whose address something else began or ceased to use. */
  readonly blockedClaims: ReadonlySet<string>;
}

const noReadyNodes: ReadyNodesReader = { of: () => new Set() };

/**
 * Who has which address. Contains the claims that the API server has shown, and those that ClaimWriter is creating now, so that
 * Services planned at the same time do not get the same address. A change costs O(log gaps in the pool).
 */
export class AddressAllocations implements AllocationsReader {
  readonly #readyNodes: ReadyNodesReader;
  readonly #maxHolds: number;
  /** How many addresses are held for names of a namespace. */
  readonly #holds = new Map<string, number>();
  readonly nodes = new NodeAddresses();
  #pools: PoolSet = { usable: [], rejected: new Map() };
  /** By name of the pool. Pools of nodes' own addresses have none. */
  #free: ReadonlyMap<string, FreeAddresses> = new Map();
  #freeByRange = new RangeMap<FreeAddresses>();
  readonly #claims = new Map<string, Claim>();
  readonly #byService = new NameIndex();
  readonly #bySharingKey = new NameIndex();
  readonly #blocks = new BlockedAddresses();
  readonly #shown = new ShownAddresses();
  /** Of Services with spec.externalIPs, by key. */
  readonly #sharingGroups = new Map<string, string>();
  /** Claims of ours whose address is not in any usable pool, because pools were edited. */
  readonly #outside = new Map<string, Claim>();
  /** Names of the claims of nodes' own addresses. */
  readonly #nodeClaimNames = new Set<string>();

  #changedPools = new Set<string>();
  #freed = false;
  #blockedClaims = new Set<string>();

  /** Without `readyNodes` no node has ready endpoints of any Service. */
  constructor(readyNodes: ReadyNodesReader = noReadyNodes, limits: NamespaceLimits = defaultNamespaceLimits) {
    this.#readyNodes = readyNodes;
    this.#maxHolds = limits.holds;
  }

  /** Returns what has changed since the last call, and starts collecting again. */
  takeChanges(): AllocationChanges {
    const changes = { pools: this.#changedPools, freed: this.#freed, blockedClaims: this.#blockedClaims };
    if (changes.pools.size > 0) this.#changedPools = new Set();
    if (changes.blockedClaims.size > 0) this.#blockedClaims = new Set();
    this.#freed = false;
    return changes;
  }

  get pools(): readonly Pool[] {
    return this.#pools.usable;
  }

  get rejected(): ReadonlyMap<string, Reason> {
    return this.#pools.rejected;
  }

  get claims(): ReadonlyMap<string, Claim> {
    return this.#claims;
  }

  /** Claims that are in use although no usable pool contains their address. */
  get outside(): ReadonlyMap<string, Claim> {
    return this.#outside;
  }

  /** The claims of nodes' own addresses. */
  get nodeClaims(): readonly Claim[] {
    return this.#claimsNamed(this.#nodeClaimNames);
  }

  readyNodesOf(serviceKey: string): ReadonlySet<string> {
    return this.#readyNodes.of(serviceKey);
  }

  /** Addresses of a pool that cannot be assigned because nodes or spec.externalIPs use them. Sorted. */
  blockedIn(poolName: string): readonly BlockedAddress[] {
    const ranges = this.#free.get(poolName)?.pool.ranges ?? [];
    return ranges
      .flatMap((range) => this.#blocks.within(range))
      .sort((left, right) => compareAddresses(left.address, right.address));
  }

  /** Replaces the pools. Costs O(claims + blocked addresses). */
  setPools(pools: PoolSet): void {
    this.#pools = pools;
    const withRanges = pools.usable.filter(({ nodes }) => nodes === undefined);
    this.#free = new Map(withRanges.map((pool) => [pool.name, new FreeAddresses(pool)]));
    this.#freeByRange = new RangeMap();
    for (const free of this.#free.values()) for (const range of free.pool.ranges) this.#freeByRange.fill(range, free);
    this.nodes.setPools(pools.usable);
    this.#outside.clear();
    for (const claim of this.#claims.values()) {
      this.#markUsed(claim.address, isAssigned(claim));
      if (this.#isOutside(claim)) this.#outside.set(claim.name, claim);
    }
    for (const { address } of this.#blocks.all()) this.#markUsed(address, false);
    for (const address of this.#shown.all()) this.#markUsed(address, false);
  }

  /** Records a claim that the API server has shown, or one that is being created. Replaces the one of the same name. */
  put(claim: Claim): void {
    const before = this.#remove(claim.name);
    this.#claims.set(claim.name, claim);
    if (claim.node !== undefined) this.#nodeClaimNames.add(claim.name);
    for (const reference of claim.services) {
      this.#byService.add(serviceKeyOf(reference), claim.name);
      if (reference.sharing !== undefined && claim.node === undefined)
        this.#bySharingKey.add(reference.sharing.key, claim.name);
    }
    this.#countHold(claim, 1);
    this.#markUsed(claim.address, isAssigned(claim));
    if (this.#isOutside(claim)) {
      this.#outside.set(claim.name, claim);
      this.#recordChanged(claim);
    }
    // Others may be waiting for what was released. The same holders again, as after each creation, release nothing.
    // Those that share an address wait until a claim names the Service that shows it.
    const named = before === undefined && this.#shown.has(claim.address);
    if (named || (before !== undefined && hasReleased(before, claim))) this.#recordFreed(currentPoolOf(this, claim));
  }

  drop(name: string): void {
    const claim = this.#remove(name);
    if (claim !== undefined) this.#recordFreed(currentPoolOf(this, claim));
  }

  #remove(name: string): Claim | undefined {
    const claim = this.#claims.get(name);
    if (claim === undefined) return undefined;
    this.#claims.delete(name);
    this.#nodeClaimNames.delete(name);
    for (const reference of claim.services) {
      this.#byService.delete(serviceKeyOf(reference), name);
      if (reference.sharing !== undefined) this.#bySharingKey.delete(reference.sharing.key, name);
    }
    this.#countHold(claim, -1);
    this.#markFree(claim.address, isAssigned(claim));
    if (this.#outside.delete(name)) this.#recordChanged(claim);
    return claim;
  }

  mayHold(namespace: string): boolean {
    return (this.#holds.get(namespace) ?? 0) < this.#maxHolds;
  }

  #countHold({ services, heldUntilMs }: Claim, change: 1 | -1): void {
    const namespace = services[0]?.namespace;
    if (heldUntilMs === undefined || namespace === undefined) return;
    const count = (this.#holds.get(namespace) ?? 0) + change;
    if (count === 0) this.#holds.delete(namespace);
    else this.#holds.set(namespace, count);
  }

  #claimsNamed(names: Iterable<string>): readonly Claim[] {
    return [...names].flatMap((name) => this.#claims.get(name) ?? []);
  }

  #isOutside(claim: Claim): boolean {
    return claim.managed && isInUse(claim) && currentPoolOf(this, claim) === undefined;
  }

  /** Sets which addresses a source (`the address of Node n1`) uses itself. Replaces what it used before. */
  block(source: string, addresses: readonly IpAddress[]): void {
    const { blocked, freed } = this.#blocks.set(source, addresses);
    for (const address of freed) {
      this.#markFree(address, false);
      this.#recordFreed(this.poolOf(address));
      // Outside all pools, too, the Service that shows it or has it reserved may have waited.
      if (this.#shown.has(address) || this.claimAt(address) !== undefined) this.#freed = true;
    }
    for (const address of blocked) {
      this.#markUsed(address, false);
      // The Service that shows it may have another reason to wait now.
      if (this.#shown.has(address)) this.#freed = true;
    }
    for (const address of [...blocked, ...freed]) {
      const claim = this.claimAt(address);
      if (claim !== undefined && claim.node === undefined) this.#blockedClaims.add(claim.name);
    }
  }

  /** Sets with which Services this one may share, so that spec.externalIPs of one do not block the others. Undefined: it does not exist. */
  setSharing(serviceKey: string, service: ServiceView | undefined): void {
    const group = service === undefined || service.externalIPs.length === 0 ? undefined : sharingGroupOf(service);
    if (this.#sharingGroups.get(serviceKey) === group) return;
    if (group === undefined) this.#sharingGroups.delete(serviceKey);
    else this.#sharingGroups.set(serviceKey, group);
    // Others may wait for one of its addresses.
    this.#freed = true;
  }

  /**
   * Sets what the status of a Service shows. No other Service is assigned these addresses, even if no claim says that they are in use.
   * Other Services may wait for what it shows no longer, or, to join a claim that does not name it, only until it is deleted.
   */
  show(serviceKey: string, status: ShownStatus): void {
    const { shown, gone, left } = this.#shown.set(serviceKey, status);
    for (const address of gone) this.#markFree(address, false);
    for (const address of shown) this.#markUsed(address, false);
    for (const address of left) {
      const claim = this.claimAt(address);
      const freed = claim === undefined ? gone.includes(address) : !isNamed(claim, serviceKey);
      if (freed) this.#recordFreed(this.poolOf(address));
    }
  }

  hasInvalidClaim(address: IpAddress): boolean {
    return this.#blocks.isInvalidClaim(address);
  }

  shownElsewhere(address: IpAddress, serviceKey: string): string | undefined {
    const { namespace } = serviceNameOf(serviceKey);
    const claim = this.claimAt(address);
    const named = claim?.services.map(serviceKeyOf) ?? [];
    const used = claim !== undefined && isInUse(claim);
    for (const key of this.#shown.of(address))
      if (key !== serviceKey && !named.includes(key) && !(used && this.#shown.isDeleting(key)))
        return `${formatAddress(address)} is in the status of ${describeService(serviceNameOf(key), namespace)}.`;
    return undefined;
  }

  claimAt(address: IpAddress): Claim | undefined {
    return this.#claims.get(virtualIpName(address));
  }

  claimsOf(serviceKey: string): readonly Claim[] {
    return this.#claimsNamed(this.#byService.of(serviceKey));
  }

  claimsSharing(key: string): readonly Claim[] {
    return this.#claimsNamed(this.#bySharingKey.of(key));
  }

  blockedBy(address: IpAddress, reader?: ServiceView): string | undefined {
    if (reader === undefined) return this.#blocks.describe(address);
    const group = sharingGroupOf(reader);
    const ignores = (key: string): boolean =>
      key === reader.key || (group !== undefined && this.#sharingGroups.get(key) === group);
    return this.#blocks.describe(address, reader.namespace, ignores);
  }

  poolOf(address: IpAddress): Pool | undefined {
    return this.#freeOf(address)?.pool;
  }

  firstFree(pool: Pool, family: IpFamily): IpAddress | undefined {
    return this.#free.get(pool.name)?.first(family);
  }

  /** Undefined for a pool that is rejected. All nodes' own addresses count as available, because Services share them by port. */
  countOf(poolName: string, family: IpFamily): FamilyCount | undefined {
    const free = this.#free.get(poolName);
    if (free !== undefined) return free.count(family);
    const pool = this.#pools.usable.find(({ name }) => name === poolName);
    if (pool === undefined) return undefined;
    const all = this.nodes.of(pool, family);
    const assigned = this.nodeClaims.filter(
      ({ address }) => address.family === family && this.nodes.poolAt(address) === pool,
    );
    return { assigned: BigInt(assigned.length), available: pool.draining ? 0n : BigInt(all.length) };
  }

  #markUsed(address: IpAddress, assigned: boolean): void {
    const free = this.#freeOf(address);
    if (free === undefined) return;
    free.markUsed(address, assigned);
    this.#changedPools.add(free.pool.name);
  }

  /** The address becomes free only if it is neither claimed, blocked nor shown. */
  #markFree(address: IpAddress, assigned: boolean): void {
    const free = this.#freeOf(address);
    if (free === undefined) return;
    const name = virtualIpName(address);
    free.markFree(address, assigned);
    const used = this.#claims.has(name) || this.#blocks.has(address) || this.#shown.has(address);
    if (used) free.markUsed(address, false);
  }

  #recordFreed(pool: Pool | undefined): void {
    if (pool === undefined) return;
    this.#changedPools.add(pool.name);
    this.#freed = true;
  }

  /** A claim outside all pools was added or removed: the pool that it names reports it. */
  #recordChanged({ pool }: Claim): void {
    if (pool !== undefined) this.#changedPools.add(pool);
  }

  #freeOf(address: IpAddress): FreeAddresses | undefined {
    return this.#freeByRange.at(address);
  }
}

/** Whether the claim counts as assigned in the pool with the address in its ranges. A node's own address does not. */
function isAssigned(claim: Claim): boolean {
  return isInUse(claim) && claim.node === undefined;
}

/** Services of one namespace with the same sharing key are in the same group. Undefined: the Service does not share. */
function sharingGroupOf(service: ServiceView): string | undefined {
  const key = sharingOf(service)?.key;
  return key === undefined ? undefined : `${service.namespace}/${key}`;
}

/** Whether a Service no longer holds the address, or uses other ports of it. */
function hasReleased(before: Claim, after: Claim): boolean {
  const held = new Set(after.services.map((reference) => JSON.stringify(reference)));
  return before.services.some((reference) => !held.has(JSON.stringify(reference)));
}

function isNamed({ services }: Claim, serviceKey: string): boolean {
  return services.some((reference) => serviceKeyOf(reference) === serviceKey);
}
