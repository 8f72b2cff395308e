import { nodeAnnotation } from "../../src/api/labels.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { virtualIpName } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { type OwnerAssignment, ownerAssignment, ownersOf, sameTexts } from "../../src/placement/owner-assignment.ts";
import type { Assignment } from "../allocate/choose/allocation.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import type { CandidateLookup, Candidates } from "../owners/candidates.ts";
import type { OwnedAddress } from "../owners/owned-address.ts";
import { OwnerCounts } from "../owners/owner-counts.ts";
import { ownersForNew, planOwners } from "../owners/owners.ts";
import { preferredNodes } from "../owners/preferred-nodes.ts";
import { AnnouncerFollower, type PreferredMove } from "./announcer-follower.ts";
import { type OwnerWrites, planOwnerWrites, planSpecAfterStatus } from "./owner-writes.ts";

export interface OwnerAssignmentsOptions {
  readonly allocations: { readonly claims: ReadonlyMap<string, Claim> };
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly candidates: {
    current(): CandidateLookup;
    /** Whether a speaker is alive that reads the owners of reservations from their spec alone. */
    readonly someReadSpecOnly: boolean;
    /** Nodes that do not learn of changes. They keep their addresses and get no others. */
    readonly cutOff: ReadonlySet<string>;
  };
  /** Nodes with ready endpoints of the Services of a claim. Undefined: any node will do. */
  readonly services: { localNodes(services: Claim["services"]): ReadonlySet<string> | undefined };
  /** From how many nodes the waiting owners of one node's addresses are chosen. */
  readonly peers: number;
}

/** What planning again has changed. */
export interface ReplanResult {
  /** Names of VirtualIPs whose object differs from the desired assignment. */
  readonly toWrite: readonly string[];
  /** Claims that gained their first candidate, or lost the last one. */
  readonly announceabilityChanged: readonly Claim[];
  /** Names whose inputs changed during the plan. They keep their owners until they are planned again. */
  readonly outdated: readonly string[];
  /** Whether other addresses got or lost owners meanwhile, so that the counts may be less even than planned. */
  readonly disturbed: boolean;
}

/** The assignment, and the claim that it was made for. */
interface Entry {
  readonly claim: Claim;
  readonly assignment: OwnerAssignment;
  /** Why the address leaves a node that could announce it. */
  readonly move?: PreferredMove | undefined;
  /** The node that the user had pinned it to. */
  readonly pinned: string | undefined;
}

/** What the plan for one name was made from. */
interface Input {
  readonly name: string;
  readonly entry: Entry | undefined;
  /** Undefined: no claim of this name has to be announced. */
  readonly claim: Claim | undefined;
  readonly address: OwnedAddress | undefined;
  /** The nodes that are preferred. Undefined: all are equal. */
  readonly preferred: ReadonlySet<string> | undefined;
  /** The node that the user has pinned it to. */
  readonly pinned: string | undefined;
  readonly interfaces: Candidates["interfaces"];
}

/**
 * Remembers the desired owners of each address, so that a new address is assigned without looking at the others. Writes nothing: the
 * objects follow.
 */
export class OwnerAssignments {
  readonly #options: OwnerAssignmentsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new OwnerCounts();
  /** Increases whenever an address gets or loses owners other than by a plan. */
  #revision = 0;
  /** Names of VirtualIPs whose owners were planned again and are not written yet. */
  readonly #unwritten = new Set<string>();
  readonly #follower: AnnouncerFollower;

  constructor(options: OwnerAssignmentsOptions) {
    this.#options = options;
    this.#follower = new AnnouncerFollower(options.virtualIps);
  }

  /** How many addresses each node is first owner of. */
  get loads(): ReadonlyMap<string, number> {
    return this.#counts.first;
  }

  /** Undefined: the address has no owners assigned. */
  desired(name: string): OwnerAssignment | undefined {
    return this.#entries.get(name)?.assignment;
  }

  /** Assigns owners to one address, and returns them. An existing assignment stays. A node's own address has no owners. */
  assignOwners(claim: Claim): OwnerAssignment {
    if (claim.node !== undefined) return ownerAssignment([], noInterfaces);
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const assignment = this.preview(claim);
    this.#revision++;
    this.#assign(claim, assignment);
    return assignment;
  }

  /** The owners that `assignOwners` would assign. Remembers nothing. */
  preview(claim: Claim): OwnerAssignment {
    const known = this.desired(claim.name);
    if (known !== undefined) return known;
    const candidates = this.#options.candidates.current()(claim);
    const { interfaces } = candidates;
    const local = this.#preferredNodes(claim, candidates);
    const address = { name: claim.name, current: [], candidates: candidates.nodes, local };
    const { candidates: cache, peers } = this.#options;
    const owners = ownersForNew(address, this.#counts, { peers, fixed: cache.cutOff });
    return ownerAssignment(owners, interfaces);
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
    return this.#options.candidates.current()(planned).nodes.length > 0;
  }

  forget(name: string): void {
    const known = this.desired(name);
    if (known !== undefined) this.#counts.remove(known.owners);
    if (this.#entries.delete(name)) this.#revision++;
    this.#unwritten.delete(name);
    this.#follower.forget(name);
  }

  /** Call it when nodes were added or removed, or can serve other addresses. */
  nodesChanged(): void {
    this.#follower.nodesChanged();
  }

  /** Call it with each object as it is after a write of ours. */
  written(object: VirtualIP): void {
    const entry = this.#entries.get(object.metadata.name);
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
    const claim = this.#options.allocations.claims.get(name);
    const object = this.#options.virtualIps.views.get(name);
    const entry = this.#entries.get(name);
    if (claim === undefined || !isAnnounced(claim)) return entry !== undefined;
    if (entry === undefined) return true;
    if (object === undefined) return false;
    this.#follower.observe(object);
    const { owners } = entry.assignment;
    const others = this.#foreignOwners(name, object, owners);
    if (others !== undefined) this.#revision++;
    const pinned = this.#pinned(name);
    this.#assign(claim, { ...entry.assignment, owners: others ?? owners }, entry.move);
    if (others !== undefined || pinned !== entry.pinned || !sameInputs(entry.claim, claim)) return true;
    if (this.#follower.isDetour(name)) return !this.differs(name);
    return this.#follower.presentOwners(name, owners)[0] !== owners[0];
  }

  /**
   * The owners in the object, if another client has written them. An empty list is not a choice: `kubectl replace` with a manifest that
   * has none leaves it, and the owners are written again as they were.
   */
  #foreignOwners(name: string, object: VirtualIP, owners: readonly string[]): readonly string[] | undefined {
    const present = ownersOf(object).owners;
    if (!this.differs(name)) this.#unwritten.delete(name);
    else if (!this.#unwritten.has(name) && present.length > 0 && !sameTexts(present, owners)) return present;
    return undefined;
  }

  /** Forgets everything: the owners in the objects count again. */
  reset(): void {
    this.#entries.clear();
    this.#counts.clear();
    this.#unwritten.clear();
    this.#follower.reset();
  }

  /** Plans the owners of all addresses again. `even`: see `planOwners`. Costs O(addresses). Yields after each small step. */
  *replanAll(even: boolean): Generator<void, ReplanResult> {
    const names = new Set([...this.#entries.keys(), ...this.#options.allocations.claims.keys()]);
    return yield* this.#replan(names, undefined, even);
  }

  /** Plans only these again. Comes to the same as `replanAll(false)` if nothing that affects the others has changed. */
  *replan(names: readonly string[]): Generator<void, ReplanResult> {
    const others = new OwnerCounts(this.#counts);
    for (const name of names) others.remove(this.desired(name)?.owners ?? []);
    return yield* this.#replan(names, others, false);
  }

  /**
   * Takes the candidates of the moment when it begins, and reads everything else about an address when its turn comes. Before a list is
   * taken over, what it was made from is compared with what holds now. If it differs, the name is returned as outdated and keeps
   * its owners. So each list is right for its address, whatever happens between the steps. Only the counts, which depend on all
   * addresses together, may be less even than planned.
   */
  *#replan(names: Iterable<string>, others: OwnerCounts | undefined, even: boolean): Generator<void, ReplanResult> {
    const candidatesOf = this.#options.candidates.current();
    const revision = this.#revision;
    const inputs: Input[] = [];
    for (const name of names) {
      inputs.push(this.#read(name, candidatesOf));
      yield;
    }
    const addresses = inputs.flatMap(({ address }) => address ?? []);
    const { peers, candidates } = this.#options;
    const options = { even, peers, fixed: candidates.cutOff, ...(others === undefined ? {} : { others }) };
    const plan = yield* planOwners(addresses, options);
    const disturbed = revision !== this.#revision;
    const result = { toWrite: [] as string[], announceabilityChanged: [] as Claim[], outdated: [] as string[] };
    for (const input of inputs) {
      this.#carryOut(input, plan.get(input.name) ?? [], result);
      yield;
    }
    return { ...result, disturbed: disturbed || result.outdated.length > 0 };
  }

  #read(name: string, candidatesOf: CandidateLookup): Input {
    const entry = this.#entries.get(name);
    const claim = this.#announced(name);
    const pinned = this.#pinned(name);
    if (claim === undefined) {
      return { name, entry, claim, address: undefined, preferred: undefined, pinned, interfaces: noInterfaces };
    }
    const candidates = candidatesOf(claim);
    const { interfaces, nodes } = candidates;
    const current = this.#follower.presentOwners(name, entry?.assignment.owners);
    const preferred = this.#preferredNodes(claim, candidates);
    const local = this.#follower.withDeclined(name, preferred, current[0]);
    const address = { name, current, candidates: nodes, local };
    return { name, entry, claim, address, preferred, pinned, interfaces };
  }

  #carryOut(
    input: Input,
    owners: readonly string[],
    result: { readonly toWrite: string[]; readonly announceabilityChanged: Claim[]; readonly outdated: string[] },
  ): void {
    const { name, entry, interfaces } = input;
    const claim = this.#announced(name);
    const present = claim === undefined ? [] : this.#follower.presentOwners(name, entry?.assignment.owners);
    const unchanged = sameTexts(present, input.address?.current ?? []) && input.pinned === this.#pinned(name);
    if (!unchanged || !sameInput(input, this.#entries.get(name), claim)) {
      result.outdated.push(name);
      return;
    }
    if (claim === undefined) {
      this.forget(name);
      return;
    }
    const list = this.#follower.listFor(name, owners);
    this.#assign(claim, ownerAssignment(list, interfaces), this.#moveFor(input, present, list));
    const known = entry?.assignment.owners;
    if (known !== undefined && known.length > 0 !== owners.length > 0) result.announceabilityChanged.push(claim);
    this.#unwritten.delete(name);
    if (!this.differs(name)) return;
    this.#unwritten.add(name);
    result.toWrite.push(name);
  }

  /** Why this list takes the address from a node that could announce it. Undefined: it does not, or not for a preferred node. */
  #moveFor(
    { name, entry, address, preferred }: Input,
    [before]: readonly string[],
    [to]: readonly string[],
  ): PreferredMove | undefined {
    // Planned again before it was written.
    if (before === to) return this.#unwritten.has(name) ? entry?.move : undefined;
    const leaves = before !== undefined && address?.candidates.includes(before) === true;
    return leaves && to !== undefined && preferred !== undefined ? { to, preferred } : undefined;
  }

  #announced(name: string): Claim | undefined {
    const claim = this.#options.allocations.claims.get(name);
    return claim !== undefined && isAnnounced(claim) ? claim : undefined;
  }

  /** Whether the object exists and differs from the desired assignment. */
  differs(name: string): boolean {
    const object = this.#options.virtualIps.views.get(name);
    return object !== undefined && this.writesFor(object) !== undefined;
  }

  /** What must be written of the owners of this object, as it is now. Undefined: nothing. */
  writesFor(object: VirtualIP): OwnerWrites | undefined {
    const desired = this.desired(object.metadata.name);
    return desired === undefined
      ? undefined
      : planOwnerWrites(object, desired, this.#options.candidates.someReadSpecOnly);
  }

  /** What must be written into the spec of a reservation after its status. `written`: the object as the API server has returned it. */
  specAfterStatus(written: VirtualIP): Record<string, unknown> | undefined {
    const desired = this.desired(written.metadata.name);
    return desired === undefined
      ? undefined
      : planSpecAfterStatus(written, desired, this.#options.candidates.someReadSpecOnly);
  }

  #preferredNodes({ name, services }: Claim, candidates: Candidates): ReadonlySet<string> | undefined {
    const local = this.#options.services.localNodes(services);
    return preferredNodes({ ...candidates, local, pinned: this.#pinned(name) });
  }

  /** The node that the user has pinned the address to. */
  #pinned(name: string): string | undefined {
    return this.#options.virtualIps.views.get(name)?.metadata.annotations[nodeAnnotation];
  }

  #assign(claim: Claim, assignment: OwnerAssignment, move?: PreferredMove): void {
    const before = this.desired(claim.name)?.owners ?? [];
    this.#entries.set(claim.name, { claim, assignment, move, pinned: this.#pinned(claim.name) });
    if (sameTexts(before, assignment.owners)) return;
    this.#counts.remove(before);
    this.#counts.add(assignment.owners);
  }
}

const noInterfaces: Candidates["interfaces"] = new Map();

/** Not a reservation without Services, a hold, or a node's own address. */
function isAnnounced(claim: Claim): boolean {
  return isInUse(claim) && claim.node === undefined;
}

/** Whether everything that decides the owners is as it was when the plan was made. */
function sameInput(input: Input, entry: Entry | undefined, claim: Claim | undefined): boolean {
  const before = input.entry?.assignment.owners;
  const owners = entry?.assignment.owners;
  if ((before === undefined) !== (owners === undefined) || !sameTexts(before ?? [], owners ?? [])) return false;
  if (input.claim === undefined || claim === undefined) return input.claim === claim;
  return sameInputs(input.claim, claim);
}

/** Whether the claim would get the same owners: its pool is the same, and the Services whose endpoints count. */
function sameInputs(before: Claim, after: Claim): boolean {
  return before.pool === after.pool && sameTexts(before.services.map(serviceKeyOf), after.services.map(serviceKeyOf));
}
