import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { virtualIpName } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { type OwnerAssignment, ownerAssignment, ownersOf, sameTexts } from "../../src/placement/owner-assignment.ts";
import type { Assignment } from "../allocate/choose/allocation.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { ownersForNew } from "../owners/owners.ts";
import { AnnouncerFollower } from "./announcer-follower.ts";
import { DesiredOwners } from "./desired-owners.ts";
import { noInterfaces, OwnerInputs, type OwnerInputsOptions, sameInputs } from "./owner-inputs.ts";
import { type OwnerWrites, planOwnerWrites, planSpecAfterStatus } from "./owner-writes.ts";
import { OwnerReplan, type ReplanResult } from "./replan-owners.ts";

/**
 * Remembers the desired owners of each address, so that a new address is assigned without looking at the others. Writes nothing: the
 * objects follow.
 */
export class OwnerAssignments {
  readonly #inputs: OwnerInputs;
  readonly #desired = new DesiredOwners();
  readonly #follower: AnnouncerFollower;
  readonly #replan: OwnerReplan;

  constructor(options: OwnerInputsOptions) {
    this.#inputs = new OwnerInputs(options);
    this.#follower = new AnnouncerFollower(options.virtualIps);
    this.#replan = new OwnerReplan({
      inputs: this.#inputs,
      desired: this.#desired,
      follower: this.#follower,
      differs: (name) => this.differs(name),
      forget: (name) => this.forget(name),
    });
  }

  /** How many addresses each node is first owner of. */
  get loads(): ReadonlyMap<string, number> {
    return this.#desired.counts.first;
  }

  /** Undefined: the address has no owners assigned. */
  desired(name: string): OwnerAssignment | undefined {
    return this.#desired.assignment(name);
  }

  /** Assigns owners to one address, and returns them. An existing assignment stays. A node's own address has no owners. */
  assignOwners(claim: Claim): OwnerAssignment {
    if (claim.node !== undefined) return ownerAssignment([], noInterfaces);
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const assignment = this.preview(claim);
    this.#desired.revision++;
    this.#desired.set({ claim, assignment, pinned: this.#inputs.pinned(claim.name) });
    return assignment;
  }

  /** The owners that `assignOwners` would assign. Remembers nothing. */
  preview(claim: Claim): OwnerAssignment {
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const { candidates: cache, peers } = this.#inputs.options;
    const candidates = cache.current()(claim);
    const local = this.#inputs.preferredNodes(claim, candidates);
    const address = { name: claim.name, current: [], candidates: candidates.nodes, local };
    const owners = ownersForNew(address, this.#desired.counts, { peers, fixed: cache.cutOff });
    return ownerAssignment(owners, candidates.interfaces);
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
    const known = this.desired(planned.name);
    if (known !== undefined) return known.owners.length > 0;
    return this.#inputs.options.candidates.current()(planned).nodes.length > 0;
  }

  forget(name: string): void {
    this.#desired.delete(name);
    this.#follower.forget(name);
  }

  /** Call it when nodes were added or removed, or can serve other addresses. */
  nodesChanged(): void {
    this.#follower.nodesChanged();
  }

  /** Call it with each object as it is after a write of ours. */
  written(object: VirtualIP): void {
    const entry = this.#desired.get(object.metadata.name);
    if (entry === undefined) return;
    const whole = sameTexts(entry.assignment.owners, ownersOf(object).owners);
    this.#follower.written(object, whole ? entry.move : undefined);
  }

  /**
   * Call it when a VirtualIP has changed. Returns whether its owners must be planned again: it is in use now and was not, or the other way
   * round; its Services, its pool or the node that it is pinned to differ; or another client has written other owners. Those count from now
   * on, so that two writers do not move an address back and forth. They must be planned again because they may not be candidates. The
   * same holds where another owner than the first one announces the address: the list follows.
   */
  observe(name: string): boolean {
    const claim = this.#inputs.announced(name);
    const object = this.#inputs.options.virtualIps.views.get(name);
    const entry = this.#desired.get(name);
    if (claim === undefined) return entry !== undefined;
    if (entry === undefined) return true;
    if (object === undefined) return false;
    this.#follower.observe(object);
    const { owners } = entry.assignment;
    const others = this.#foreignOwners(name, object, owners);
    if (others !== undefined) this.#desired.revision++;
    const pinned = this.#inputs.pinned(name);
    const assignment = { ...entry.assignment, owners: others ?? owners };
    this.#desired.set({ claim, assignment, move: entry.move, pinned });
    if (others !== undefined || pinned !== entry.pinned || !sameInputs(entry.claim, claim)) return true;
    if (this.#follower.isDetour(name)) return !this.differs(name);
    return this.#follower.presentOwners(name, owners)[0] !== owners[0];
  }

  /**
   * The owners in the object, if another client has written them. An empty list is not a choice: `kubectl replace` with a manifest that
   * has none leaves it, and the owners are written again as they were.
   */
  #foreignOwners(name: string, object: VirtualIP, owners: readonly string[]): readonly string[] | undefined {
    const { unwritten } = this.#desired;
    const present = ownersOf(object).owners;
    if (!this.differs(name)) unwritten.delete(name);
    else if (!unwritten.has(name) && present.length > 0 && !sameTexts(present, owners)) return present;
    return undefined;
  }

  /** Forgets everything: the owners in the objects count again. */
  reset(): void {
    this.#desired.clear();
    this.#follower.reset();
  }

  /** Plans the owners of all addresses again. `even`: see `planOwners`. Costs O(addresses). Yields after each small step. */
  replanAll(even: boolean): Generator<void, ReplanResult> {
    return this.#replan.all(even);
  }

  /** Plans only these again. Comes to the same as `replanAll(false)` if nothing that affects the others has changed. */
  replan(names: readonly string[]): Generator<void, ReplanResult> {
    return this.#replan.some(names);
  }

  /** Whether the object exists and differs from the desired assignment. */
  differs(name: string): boolean {
    const object = this.#inputs.options.virtualIps.views.get(name);
    return object !== undefined && this.writesFor(object) !== undefined;
  }

  /** What must be written of the owners of this object, as it is now. Undefined: nothing. */
  writesFor(object: VirtualIP): OwnerWrites | undefined {
    const desired = this.desired(object.metadata.name);
    return desired === undefined ? undefined : planOwnerWrites(object, desired, this.#someReadSpecOnly);
  }

  /** What must be written into the spec of a reservation after its status. `written`: the object as the API server has returned it. */
  specAfterStatus(written: VirtualIP): Record<string, unknown> | undefined {
    const desired = this.desired(written.metadata.name);
    return desired === undefined ? undefined : planSpecAfterStatus(written, desired, this.#someReadSpecOnly);
  }

  get #someReadSpecOnly(): boolean {
    return this.#inputs.options.candidates.someReadSpecOnly;
  }
}
