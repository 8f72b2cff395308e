import { NameIndex } from "../../../src/index/name-index.ts";
import { compareAddresses, type IpAddress, type IpFamily, virtualIpName } from "../../../src/ip/address.ts";
import { RangeMap } from "../../../src/ip/range-map.ts";
import type { Reason } from "../../../src/model/reason.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import { type Claim, currentPoolOf, isInUse } from "../claim/claim.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolSet } from "../pool/pool-set.ts";
import { type BlockedAddress, BlockedAddresses } from "./blocked-addresses.ts";
import { type FamilyCount, FreeAddresses } from "./free-addresses.ts";
import { NodeAddresses } from "./node-addresses.ts";

/** What the allocator reads. */
export interface AllocationsReader {
  /** In the order in which they are tried. */
  readonly pools: readonly Pool[];
  readonly rejected: ReadonlyMap<string, Reason>;
  claimAt(address: IpAddress): Claim | undefined;
  /** Every claim that names this Service, under whichever uid. */
  claimsOf(serviceKey: string): readonly Claim[];
  /** Every claim of Services that share by this key, whatever their namespace. */
  claimsSharing(key: string): readonly Claim[];
  /** Why nobody may have the address though no VirtualIP claims it: a node or spec.externalIPs of a Service uses it. */
  blockedBy(address: IpAddress): string | undefined;
  poolOf(address: IpAddress): Pool | undefined;
  /** The lowest free address of a pool. */
  firstFree(pool: Pool, family: IpFamily): IpAddress | undefined;
  /** The nodes' own addresses, and the pools of them. */
  readonly nodes: NodeAddresses;
  /** Nodes with ready endpoints of a Service. */
  readyNodesOf(serviceKey: string): ReadonlySet<string>;
}

/** Which nodes have ready endpoints of a Service. */
export interface ReadyNodesReader {
  of(serviceKey: string): ReadonlySet<string>;
}

/** What has changed since somebody last took the changes. */
export interface AllocationChanges {
  /** Names of the pools whose counts may be different. */
  readonly pools: ReadonlySet<string>;
  /** Whether an address may be free again. */
  readonly freed: boolean;
}

const noReadyNodes: ReadyNodesReader = { of: () => new Set() };

/**
 * Who has which address. Holds what the API server has told, plus the claims that ClaimWriter is making right now, so that work
 * done side by side does not choose the same address. Every change costs about the logarithm of the gaps in a pool.
 */
export class AddressAllocations implements AllocationsReader {
  readonly #readyNodes: ReadyNodesReader;
  readonly nodes = new NodeAddresses();
  #pools: PoolSet = { usable: [], rejected: new Map() };
  /** By name of the pool. Pools of nodes' own addresses have none. */
  #free: ReadonlyMap<string, FreeAddresses> = new Map();
  #freeByRange = new RangeMap<FreeAddresses>();
  readonly #claims = new Map<string, Claim>();
  readonly #byService = new NameIndex();
  readonly #bySharingKey = new NameIndex();
  readonly #blocks = new BlockedAddresses();
  /** Claims of ours whose address is in no pool that serves: pools were edited since. */
  readonly #outside = new Map<string, Claim>();
  /** Names of claims of nodes' own addresses. */
  readonly #nodeClaimNames = new Set<string>();

  #changedPools = new Set<string>();
  #freed = false;

  /** Without `readyNodes` no node has ready endpoints of any Service. */
  constructor(readyNodes: ReadyNodesReader = noReadyNodes) {
    this.#readyNodes = readyNodes;
  }

  /** Returns what has changed since the last call, and starts collecting again. */
  takeChanges(): AllocationChanges {
    const changes = { pools: this.#changedPools, freed: this.#freed };
    if (changes.pools.size > 0) this.#changedPools = new Set();
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

  /** Addresses that Services have although no pool has them any more. */
  get outside(): ReadonlyMap<string, Claim> {
    return this.#outside;
  }

  /** Who has nodes' own addresses. */
  get nodeClaims(): readonly Claim[] {
    return this.#claimsNamed(this.#nodeClaimNames);
  }

  readyNodesOf(serviceKey: string): ReadonlySet<string> {
    return this.#readyNodes.of(serviceKey);
  }

  /** What a pool would have to give if nodes or spec.externalIPs did not use it. Sorted. */
  blockedIn(poolName: string): readonly BlockedAddress[] {
    const ranges = this.#free.get(poolName)?.pool.ranges ?? [];
    return ranges
      .flatMap((range) => this.#blocks.within(range))
      .sort((left, right) => compareAddresses(left.address, right.address));
  }

  /** Takes the pools anew; as costly as there are claims. */
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
  }

  /** A claim as the API server tells it, or one that is being made. Replaces what was known under its name. */
  put(claim: Claim): void {
    const before = this.#remove(claim.name);
    this.#claims.set(claim.name, claim);
    if (claim.node !== undefined) this.#nodeClaimNames.add(claim.name);
    for (const reference of claim.services) {
      this.#byService.add(serviceKeyOf(reference), claim.name);
      if (reference.sharing !== undefined && claim.node === undefined)
        this.#bySharingKey.add(reference.sharing.key, claim.name);
    }
    this.#markUsed(claim.address, isAssigned(claim));
    if (this.#isOutside(claim)) {
      this.#outside.set(claim.name, claim);
      this.#recordChanged(claim);
    }
    // Others may have waited for the one who let go. The same holders again, as after each creation, free nothing.
    if (before !== undefined && hasReleased(before, claim)) this.#recordFreed(currentPoolOf(this, claim));
  }

  /** Gives the claim that was dropped. */
  drop(name: string): Claim | undefined {
    const claim = this.#remove(name);
    if (claim !== undefined) this.#recordFreed(currentPoolOf(this, claim));
    return claim;
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
    this.#markFree(claim.address, isAssigned(claim));
    if (this.#outside.delete(name)) this.#recordChanged(claim);
    return claim;
  }

  #claimsNamed(names: Iterable<string>): readonly Claim[] {
    return [...names].flatMap((name) => this.#claims.get(name) ?? []);
  }

  #isOutside(claim: Claim): boolean {
    return claim.managed && isInUse(claim) && currentPoolOf(this, claim) === undefined;
  }

  /** Says which addresses a source (`the address of Node n1`) uses by itself; replaces what it said before. */
  block(source: string, addresses: readonly IpAddress[]): void {
    const { blocked, freed } = this.#blocks.set(source, addresses);
    for (const address of freed) {
      this.#markFree(address, false);
      this.#recordFreed(this.poolOf(address));
    }
    for (const address of blocked) this.#markUsed(address, false);
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

  blockedBy(address: IpAddress): string | undefined {
    return this.#blocks.describe(address);
  }

  poolOf(address: IpAddress): Pool | undefined {
    return this.#freeOf(address)?.pool;
  }

  firstFree(pool: Pool, family: IpFamily): IpAddress | undefined {
    return this.#free.get(pool.name)?.first(family);
  }

  /** Undefined for a pool that is set aside. Of nodes' own addresses all can be given, whoever has them already. */
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

  /** An address is free again only when neither a claim nor a block is left on it. */
  #markFree(address: IpAddress, assigned: boolean): void {
    const free = this.#freeOf(address);
    if (free === undefined) return;
    const name = virtualIpName(address);
    free.markFree(address, assigned);
    if (this.#claims.has(name) || this.#blocks.has(address)) free.markUsed(address, false);
  }

  #recordFreed(pool: Pool | undefined): void {
    if (pool === undefined) return;
    this.#changedPools.add(pool.name);
    this.#freed = true;
  }

  /** A claim whose address is in no pool has come or gone: the pool that it names reports it. */
  #recordChanged({ pool }: Claim): void {
    if (pool !== undefined) this.#changedPools.add(pool);
  }

  #freeOf(address: IpAddress): FreeAddresses | undefined {
    return this.#freeByRange.at(address);
  }
}

/** Whether it counts in the pool that has the address in its ranges; a node's own never does. */
function isAssigned(claim: Claim): boolean {
  return isInUse(claim) && claim.node === undefined;
}

/** Whether somebody who held the address holds it no more, or takes less of it. */
function hasReleased(before: Claim, after: Claim): boolean {
  const held = new Set(after.services.map((reference) => JSON.stringify(reference)));
  return before.services.some((reference) => !held.has(JSON.stringify(reference)));
}
