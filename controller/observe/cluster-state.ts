import type { Clock } from "../../src/clock/clock.ts";
import { compareAddresses, parseAddress } from "../../src/ip/address.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import type { AddressAllocations } from "../allocate/address-allocations.ts";
import { type Claim, isInUse, parseClaim } from "../allocate/claim.ts";
import { clusterNetworks } from "../allocate/cluster-network.ts";
import { poolObject } from "../allocate/pool/pool.ts";
import { type PoolMembership, poolMembershipOf } from "../allocate/pool/pool-membership.ts";
import { choosePools } from "../allocate/pool/pool-set.ts";
import type { PoolFacts, PoolObject } from "../pools/pool-status.ts";
import { membershipDiffers } from "../virtual-ips/virtual-ip-conditions.ts";
import { addressesOf, interfaceAddresses, nodeInfoOf, subnetEdges } from "./node-networks.ts";
import { ReadyNodes } from "./ready-nodes.ts";
import type { Watched } from "./watches.ts";

interface InvalidPool {
  readonly reason: Reason;
  readonly object: PoolObject;
}

/** How long a claim that we made may be unseen by the watch before it counts as lost. */
const unseenLimitMs = 60_000;

/** What is derived from the watches, kept up to date key by key: the address allocations, nodes with endpoints, pools. */
export class ClusterState {
  readonly allocations: AddressAllocations;
  readonly readyNodes = new ReadyNodes();
  /** Whether pools have changed since the allocations took them. */
  poolsDirty = true;
  readonly #watches: () => Watched;
  readonly #clock: Clock;
  readonly #claimFaults = new Map<string, Reason>();
  readonly #invalidPools = new Map<string, InvalidPool>();
  readonly #localServices = new Set<string>();
  /** Last uid that the watch has shown, by VirtualIP. */
  readonly #seenUids = new Map<string, string>();
  /** Since when a claim is in the allocations without having been seen. */
  readonly #unseenSinceMs = new Map<string, number>();
  /** What was last seen of objects that write much else as well; of those alone that are there. */
  readonly #fingerprints = new Map<string, string>();

  constructor(watches: () => Watched, allocations: AddressAllocations, clock: Clock) {
    this.#watches = watches;
    this.allocations = allocations;
    this.#clock = clock;
  }

  /** The allocations, with its pools read anew if any has changed; costs as much as there are claims then. */
  currentAllocations(): AddressAllocations {
    if (this.poolsDirty) this.#refreshPools();
    return this.allocations;
  }

  #refreshPools(): void {
    const { pools, serviceCidrs, nodes } = this.#watches();
    const networks = clusterNetworks(serviceCidrs.views.values(), nodes.views.values());
    const chosen = choosePools(pools.views.values(), networks);
    const rejected = new Map(chosen.rejected);
    for (const [name, { reason }] of this.#invalidPools) rejected.set(name, reason);
    this.allocations.setPools({ usable: chosen.usable, rejected });
    this.poolsDirty = false;
  }

  /** Takes note of a Service; gives its claims if its wish for local endpoints has changed. */
  observeService(key: string): readonly Claim[] {
    const service = this.#watches().services.views.get(key);
    const external = (service?.externalIPs ?? []).flatMap((text) => parseAddress(text) ?? []);
    this.allocations.block(`in spec.externalIPs of Service ${key}`, external);
    const local = service?.type === "LoadBalancer" && service.externalTrafficPolicy === "Local";
    if (local === this.#localServices.has(key)) return [];
    if (local) this.#localServices.add(key);
    else this.#localServices.delete(key);
    return this.allocations.claimsOf(key);
  }

  /** Gives the Services with externalTrafficPolicy Local whose nodes with ready endpoints may be others now. */
  observeSlice(key: string): readonly string[] {
    const services = this.readyNodes.put(key, this.#watches().slices.views.get(key));
    return services.filter((service) => this.#localServices.has(service));
  }

  /** Takes note of a pool; gives whether more than its status has changed, which we write ourselves whenever its counts do. */
  observePool(name: string): boolean {
    const pool = this.#watches().pools.views.get(name);
    if (pool === undefined) return this.#isNews(`pools/${name}`, "");
    const { uid, creationTimestamp, labels } = pool.metadata;
    return this.#isNews(`pools/${name}`, JSON.stringify([uid, creationTimestamp, labels, pool.spec]));
  }

  /** A node's own addresses are nobody else's. Gives whether what pools depend on has changed: networks of pods, nodes in pools. */
  observeNode(name: string): boolean {
    const node = this.#watches().nodes.views.get(name);
    const standsElse = this.allocations.nodes.setNode(name, node === undefined ? undefined : nodeInfoOf(node));
    this.allocations.block(`the address of Node ${name}`, node === undefined ? [] : addressesOf(node));
    return (
      this.#isNews(`podCIDRs/${name}`, (node?.podCIDRs ?? []).join()) || (standsElse && this.allocations.nodes.hasPools)
    );
  }

  /** What stands on a node's interfaces, and the first and last address of their subnets, is nobody else's either. */
  observeSpeaker(name: string): void {
    const speaker = this.#watches().speakers.views.get(name);
    const interfaces = speaker?.status?.interfaces ?? [];
    this.allocations.block(`on an interface of Node ${name}`, interfaceAddresses(interfaces));
    this.allocations.block(
      `a network, broadcast or anycast address of the subnet of Node ${name}`,
      subnetEdges(interfaces),
    );
  }

  /** Whether what matters to owners has changed since the last call; nodes and speakers write much else all the time. */
  differs(resource: "nodes" | "speakers", name: string): boolean {
    const node = this.#watches().nodes.views.get(name);
    const speaker = this.#watches().speakers.views.get(name);
    const facts = resource === "nodes" ? node && [node.excluded, node.labels] : speaker?.status?.interfaces;
    return this.#isNews(`${resource}/${name}`, facts === undefined ? "" : JSON.stringify(facts));
  }

  #isNews(key: string, text: string): boolean {
    if ((this.#fingerprints.get(key) ?? "") === text) return false;
    if (text === "") this.#fingerprints.delete(key);
    else this.#fingerprints.set(key, text);
    return true;
  }

  /** Takes note of a VirtualIP; gives the claims, old and new, whose Services it matters to, and the one that is gone. */
  observeVirtualIp(name: string): { readonly changed: readonly Claim[]; readonly gone: Claim | undefined } {
    const object = this.#watches().virtualIps.views.get(name);
    const before = this.allocations.claims.get(name);
    const { claim, reason } = object === undefined ? {} : parseClaim(object);
    if (reason === undefined) this.#claimFaults.delete(name);
    else this.#claimFaults.set(name, reason);
    if (claim !== undefined) {
      this.#seenUids.set(name, claim.uid);
      this.#unseenSinceMs.delete(name);
      this.allocations.put(claim);
      if (before !== undefined && sameHolders(before, claim)) return { changed: [], gone: undefined };
      return { changed: before === undefined ? [claim] : [before, claim], gone: undefined };
    }
    // What went may be an older object of this name than the one that we have just made.
    const older = before !== undefined && before.uid !== this.#seenUids.get(name);
    this.#seenUids.delete(name);
    if (before === undefined || older) return { changed: [], gone: undefined };
    this.allocations.drop(name);
    return { changed: [before], gone: before };
  }

  claimReason(name: string): Reason | undefined {
    return this.#claimFaults.get(name);
  }

  /** Forgets claims that were about to be made when we last led. */
  dropUnconfirmed(): void {
    const seen = this.#watches().virtualIps.views;
    for (const { name } of [...this.allocations.claims.values()]) if (!seen.has(name)) this.allocations.drop(name);
  }

  /** Forgets, and gives, claims that were made but that the watch has not shown for a minute. */
  dropLost(): readonly Claim[] {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#watches().virtualIps.views;
    const lost: Claim[] = [];
    for (const claim of this.allocations.claims.values()) {
      if (seen.has(claim.name) || claim.uid === "") this.#unseenSinceMs.delete(claim.name);
      else if (nowMs - (this.#unseenSinceMs.get(claim.name) ?? nowMs) >= unseenLimitMs) lost.push(claim);
      else if (!this.#unseenSinceMs.has(claim.name)) this.#unseenSinceMs.set(claim.name, nowMs);
    }
    for (const claim of lost) this.allocations.drop(claim.name);
    return lost;
  }

  /** Nodes with ready endpoints of the claim's Services; undefined: none of them asks for local endpoints. */
  localNodes(
    services: readonly { readonly namespace: string; readonly name: string }[],
  ): ReadonlySet<string> | undefined {
    const keys = services
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .filter((key) => this.#localServices.has(key));
    if (keys.length === 0) return undefined;
    return new Set(keys.flatMap((key) => [...this.readyNodes.of(key)]));
  }

  /** A pool that does not follow its schema; without fault: it does again, or is gone. */
  rejectPool(name: string, fault: InvalidObject | undefined, raw: unknown): void {
    if (fault === undefined) {
      this.#invalidPools.delete(name);
      return;
    }
    const { metadata, status } = raw as { metadata: Partial<PoolObject["metadata"]>; status?: PoolObject["status"] };
    const { uid = "", resourceVersion = "", generation = 0 } = metadata;
    const about = { object: poolObject(name), field: "the object", value: "", detail: fault.message };
    this.#invalidPools.set(name, {
      reason: reasonOf("PoolSchemaInvalid", about),
      object: { metadata: { name, uid, resourceVersion, generation }, status },
    });
  }

  /** Which pool has the address of a VirtualIP; undefined where nobody has it, or it is no claim. */
  membership(name: string): PoolMembership | undefined {
    const allocations = this.currentAllocations();
    const claim = allocations.claims.get(name);
    if (claim === undefined || !isInUse(claim)) return undefined;
    return poolMembershipOf(allocations, claim);
  }

  /** Whether the object of a claim says otherwise about its pool than is so. */
  membershipDiffers(name: string): boolean {
    const object = this.#watches().virtualIps.views.get(name);
    const membership = object === undefined ? undefined : this.membership(name);
    return object !== undefined && membership !== undefined && membershipDiffers(object, membership);
  }

  poolNames(): readonly string[] {
    return [...this.#watches().pools.views.keys(), ...this.#invalidPools.keys()];
  }

  poolObject(name: string): PoolObject | undefined {
    return this.#watches().pools.views.get(name) ?? this.#invalidPools.get(name)?.object;
  }

  poolFacts(name: string): PoolFacts {
    const allocations = this.currentAllocations();
    return {
      rejected: allocations.rejected.get(name),
      draining: this.#watches().pools.views.get(name)?.spec.state === "Draining",
      ofNodes: this.#watches().pools.views.get(name)?.spec.nodeAddresses !== undefined,
      outside: [...allocations.outside.values()]
        .filter((claim) => claim.pool === name)
        .map(({ address }) => address)
        .sort(compareAddresses),
      leftOut: allocations.excludedFrom(name),
      ipv4: allocations.countOf(name, "IPv4"),
      ipv6: allocations.countOf(name, "IPv6"),
    };
  }
}

/** Whether the claim is what was known; one that was about to be made had no uid yet. */
function sameHolders(before: Claim, after: Claim): boolean {
  return (
    (before.uid === after.uid || before.uid === "") &&
    before.pool === after.pool &&
    before.ours === after.ours &&
    before.heldUntilMs === after.heldUntilMs &&
    JSON.stringify(before.services) === JSON.stringify(after.services)
  );
}
