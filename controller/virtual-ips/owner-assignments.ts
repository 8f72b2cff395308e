import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { virtualIpName } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { Assignment } from "../allocate/choose/allocation.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import type { CandidateLookup } from "../owners/candidates.ts";
import { type OwnedAddress, ownersForNew, planOwners } from "../owners/owners.ts";

/** Which nodes are to announce one address. */
export interface OwnerAssignment {
  /** Node names in order. Empty: no node may announce it. */
  readonly owners: readonly string[];
  /** Globs, as in VirtualIP.spec.interfaces. */
  readonly interfaces: readonly string[];
}

export interface OwnerAssignmentsOptions {
  readonly allocations: { readonly claims: ReadonlyMap<string, Claim> };
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly candidates: { current(): CandidateLookup };
  /** Nodes with ready endpoints of the Services of a claim. Undefined: any node will do. */
  readonly services: { localNodes(services: Claim["services"]): ReadonlySet<string> | undefined };
}

/** What planning again has changed. */
export interface ReplanResult {
  /** Names of VirtualIPs whose object differs from the desired assignment. */
  readonly toWrite: readonly string[];
  /** Claims that gained their first candidate, or lost the last one. */
  readonly announceabilityChanged: readonly Claim[];
}

/** The assignment, and the claim that it was made for. */
interface Entry {
  readonly claim: Claim;
  readonly assignment: OwnerAssignment;
}

/**
 * Remembers the desired owners of each address, so that a new address is assigned without looking at the others. Writes nothing: the
 * objects follow.
 */
export class OwnerAssignments {
  readonly #options: OwnerAssignmentsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #loads = new Map<string, number>();
  /** Names of VirtualIPs whose owners were planned again and are not written yet. */
  readonly #unwritten = new Set<string>();

  constructor(options: OwnerAssignmentsOptions) {
    this.#options = options;
  }

  /** How many addresses each node is first owner of. */
  get loads(): ReadonlyMap<string, number> {
    return this.#loads;
  }

  /** Undefined: the address has no owners assigned. */
  desired(name: string): OwnerAssignment | undefined {
    return this.#entries.get(name)?.assignment;
  }

  /** Assigns owners to one address, and returns them. An existing assignment stays. A node's own address has no owners. */
  assignOwners(claim: Claim): OwnerAssignment {
    if (claim.node !== undefined) return { owners: [], interfaces: [] };
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const assignment = this.preview(claim);
    this.#assign(claim, assignment);
    return assignment;
  }

  /** The owners that `assignOwners` would assign. Remembers nothing. */
  preview(claim: Claim): OwnerAssignment {
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const { nodes, interfaces } = this.#options.candidates.current()(claim.address, claim.pool);
    const owners = ownersForNew(this.#owned(claim, nodes, []), this.#loads);
    return { owners, interfaces };
  }

  /** Whether some node may announce an address that the Service has or is about to get. */
  hasAnnouncer({ namespace, name, uid }: ServiceView, { address, pool, node, claim }: Assignment): boolean {
    // A node answers for its own address without an announcer.
    if (node !== undefined) return true;
    const planned: Claim = claim ?? {
      name: virtualIpName(address),
      address,
      pool,
      services: [{ namespace, name, uid }],
      managed: true,
      uid: "",
      resourceVersion: "",
    };
    return this.preview(planned).owners.length > 0;
  }

  forget(name: string): void {
    const first = this.desired(name)?.owners[0];
    if (first !== undefined) this.#count(first, -1);
    this.#entries.delete(name);
    this.#unwritten.delete(name);
  }

  /**
   * Call it when a VirtualIP has changed. Returns whether its owners must be planned again: it is in use now and was not, or the other way
   * round; its Services or its pool differ; or another client has written other owners. Those count from now on, so that two writers do
   * not move an address back and forth. They must be planned again because they may not be candidates.
   */
  observe(name: string): boolean {
    const claim = this.#options.allocations.claims.get(name);
    const spec = this.#options.virtualIps.views.get(name)?.spec;
    const entry = this.#entries.get(name);
    if (claim === undefined || !isAnnounced(claim)) return entry !== undefined;
    if (entry === undefined) return true;
    if (spec === undefined) return false;
    const { owners, interfaces } = entry.assignment;
    const others = this.#foreignOwners(name, spec, owners);
    this.#assign(claim, { owners: others ?? owners, interfaces });
    return others !== undefined || !sameInputs(entry.claim, claim);
  }

  /** The owners in the object, if another client has written them. */
  #foreignOwners(name: string, spec: VirtualIP["spec"], owners: readonly string[]): readonly string[] | undefined {
    if (!this.differs(name)) this.#unwritten.delete(name);
    else if (!this.#unwritten.has(name) && !sameTexts(spec.owners, owners)) return spec.owners;
    return undefined;
  }

  /** Forgets everything: the owners in the objects count again. */
  reset(): void {
    this.#entries.clear();
    this.#loads.clear();
    this.#unwritten.clear();
  }

  /** Plans the owners of all addresses again. `even`: see `planOwners`. Costs O(addresses). */
  replanAll(even: boolean): ReplanResult {
    return this.#replan([...this.#entries.keys()], [...this.#options.allocations.claims.values()], even);
  }

  /** Plans only these again. Comes to the same as `replanAll(false)` if nothing that affects the others has changed. */
  replan(names: readonly string[]): ReplanResult {
    const { claims } = this.#options.allocations;
    return this.#replan(
      names,
      names.flatMap((name) => claims.get(name) ?? []),
      false,
    );
  }

  #replan(known: readonly string[], present: readonly Claim[], even: boolean): ReplanResult {
    const candidatesOf = this.#options.candidates.current();
    const { views } = this.#options.virtualIps;
    const claims = present.filter(isAnnounced);
    const before = new Map(claims.map(({ name }) => [name, this.desired(name)]));
    const interfaces = new Map<string, readonly string[]>();
    const owned = claims.map((claim) => {
      const candidates = candidatesOf(claim.address, claim.pool);
      interfaces.set(claim.name, candidates.interfaces);
      const current = before.get(claim.name)?.owners ?? views.get(claim.name)?.spec.owners ?? [];
      return this.#owned(claim, candidates.nodes, current);
    });
    for (const name of known) this.forget(name);
    const plan = planOwners(owned, { even, others: this.#loads });
    for (const claim of claims) {
      const owners = plan.get(claim.name) ?? [];
      this.#assign(claim, { owners, interfaces: interfaces.get(claim.name) ?? [] });
    }
    const announceabilityChanged = claims.filter(({ name }) => {
      const known = before.get(name);
      return known !== undefined && known.owners.length > 0 !== (plan.get(name) ?? []).length > 0;
    });
    const toWrite = claims.map(({ name }) => name).filter((name) => this.differs(name));
    for (const name of toWrite) this.#unwritten.add(name);
    return { toWrite, announceabilityChanged };
  }

  /** Whether the object exists and differs from the desired assignment. */
  differs(name: string): boolean {
    const spec = this.#options.virtualIps.views.get(name)?.spec;
    const wanted = this.desired(name);
    if (spec === undefined || wanted === undefined) return false;
    return !sameTexts(spec.owners, wanted.owners) || !sameTexts(spec.interfaces, wanted.interfaces);
  }

  #owned(claim: Claim, candidates: readonly string[], current: readonly string[]): OwnedAddress {
    return { name: claim.name, current, candidates, local: this.#options.services.localNodes(claim.services) };
  }

  #assign(claim: Claim, assignment: OwnerAssignment): void {
    const before = this.desired(claim.name)?.owners[0];
    const [after] = assignment.owners;
    this.#entries.set(claim.name, { claim, assignment });
    if (before === after) return;
    if (before !== undefined) this.#count(before, -1);
    if (after !== undefined) this.#count(after, 1);
  }

  #count(node: string, change: 1 | -1): void {
    const load = (this.#loads.get(node) ?? 0) + change;
    if (load > 0) this.#loads.set(node, load);
    else this.#loads.delete(node);
  }
}

/** Not a reservation without Services, a hold, or a node's own address. */
function isAnnounced(claim: Claim): boolean {
  return isInUse(claim) && claim.node === undefined;
}

/** Whether the claim would get the same owners: its pool is the same, and the Services whose endpoints count. */
function sameInputs(before: Claim, after: Claim): boolean {
  return before.pool === after.pool && sameTexts(before.services.map(serviceKeyOf), after.services.map(serviceKeyOf));
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}
