import { nodeAnnotation } from "../../src/api/labels.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { virtualIpName } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import {
  type OwnerAssignment,
  ownerAssignment,
  ownersOf,
  ownersTermOf,
  sameTexts,
} from "../../src/placement/owner-assignment.ts";
import type { Assignment } from "../allocate/choose/allocation.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import type { CandidateLookup, Candidates } from "../owners/candidates.ts";
import type { OwnedAddress } from "../owners/owned-address.ts";
import { OwnerCounts } from "../owners/owner-counts.ts";
import { ownersForNew, planOwners } from "../owners/owners.ts";
import { preferredNodes } from "../owners/preferred-nodes.ts";
import { announcerOfTerm, followedAnnouncer, ownersFrom } from "./follow-announcer.ts";
import { type OwnerWrites, planOwnerWrites, planSpecAfterStatus } from "./owner-writes.ts";
import { PreferredMoves } from "./preferred-moves.ts";

export interface OwnerAssignmentsOptions {
  readonly allocations: { readonly claims: ReadonlyMap<string, Claim> };
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly candidates: {
    current(): CandidateLookup;
    /** Whether a speaker is alive that reads the owners of reservations from their spec alone. */
    readonly someReadSpecOnly: boolean;
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
  /** The preferred nodes for which the address leaves a node that could announce it. */
  readonly preferred?: ReadonlySet<string> | undefined;
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
  /** The terms of the owner lists that were written and that the watch has not shown yet. */
  readonly #writtenTerms = new Map<string, number>();
  /** Names whose list begins with the announcer only so that the next one, which begins as the last one did, is a change for speakers. */
  readonly #detours = new Set<string>();
  readonly #preferredMoves = new PreferredMoves();

  constructor(options: OwnerAssignmentsOptions) {
    this.#options = options;
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
    const owners = ownersForNew(address, this.#counts, this.#options.peers);
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
    this.#writtenTerms.delete(name);
    this.#detours.delete(name);
    this.#preferredMoves.forget(name);
  }

  /** Call it when nodes were added or removed, or can serve other addresses. */
  nodesChanged(): void {
    this.#preferredMoves.clear();
  }

  /** Call it with each object as it is after a write of ours. */
  written(object: VirtualIP): void {
    const { name } = object.metadata;
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const shown = this.#options.virtualIps.views.get(name);
    const term = ownersTermOf(object);
    if (shown === undefined || ownersTermOf(shown) < term) this.#writtenTerms.set(name, term);
    const { owners } = entry.assignment;
    const [first] = owners;
    if (entry.preferred === undefined || first === undefined || !sameTexts(owners, ownersOf(object).owners)) return;
    this.#preferredMoves.record(name, first, entry.preferred);
  }

  /**
   * Call it when a VirtualIP has changed. Returns whether its owners must be planned again: it is in use now and was not, or the other way
   * round; its Services, its pool or the node that it is pinned to differ; or another client has written other owners. Those count from now on, so that two writers do
   * not move an address back and forth. They must be planned again because they may not be candidates. The same holds where another owner
   * than the first one announces the address: the list follows.
   */
  observe(name: string): boolean {
    const claim = this.#options.allocations.claims.get(name);
    const object = this.#options.virtualIps.views.get(name);
    const entry = this.#entries.get(name);
    if (claim === undefined || !isAnnounced(claim)) return entry !== undefined;
    if (entry === undefined) return true;
    if (object === undefined) return false;
    if (ownersTermOf(object) >= (this.#writtenTerms.get(name) ?? 0)) this.#writtenTerms.delete(name);
    const announcer = announcerOfTerm(object);
    if (announcer !== undefined) this.#preferredMoves.announced(name, announcer);
    const { owners } = entry.assignment;
    const others = this.#foreignOwners(name, object, owners);
    if (others !== undefined) this.#revision++;
    const pinned = this.#pinned(name);
    this.#assign(claim, { ...entry.assignment, owners: others ?? owners }, entry.preferred);
    if (others !== undefined || pinned !== entry.pinned || !sameInputs(entry.claim, claim)) return true;
    return this.#detours.has(name) ? !this.differs(name) : this.#present(name, entry)[0] !== owners[0];
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
    this.#writtenTerms.clear();
    this.#detours.clear();
    this.#preferredMoves.clear();
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
    const { peers } = this.#options;
    const plan = yield* planOwners(addresses, { even, peers, ...(others === undefined ? {} : { others }) });
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
    const current = this.#present(name, entry);
    const preferred = this.#preferredNodes(claim, candidates);
    const local = this.#withDeclined(name, preferred, current[0]);
    const address = { name, current, candidates: nodes, local };
    return { name, entry, claim, address, preferred, pinned, interfaces };
  }

  /** The desired list, or else the list in the object; beginning with the node that announces where that is an owner. */
  #present(name: string, entry: Entry | undefined): readonly string[] {
    const announcer = this.#followed(name);
    if (announcer !== undefined) return ownersFrom(announcer, this.#ownersInObject(name));
    return entry?.assignment.owners ?? this.#ownersInObject(name);
  }

  /** The owner that announces the address although it is not the first one, by the newest list. */
  #followed(name: string): string | undefined {
    const object = this.#options.virtualIps.views.get(name);
    return object === undefined || this.#writtenTerms.has(name) ? undefined : followedAnnouncer(object);
  }

  /** An address that a preferred node did not take stays where it is, as if the node that announces it were preferred, too. */
  #withDeclined(
    name: string,
    preferred: ReadonlySet<string> | undefined,
    announcer: string | undefined,
  ): ReadonlySet<string> | undefined {
    if (preferred === undefined || announcer === undefined || preferred.has(announcer)) return preferred;
    return this.#preferredMoves.has(name, preferred) ? new Set([...preferred, announcer]) : preferred;
  }

  #carryOut(
    input: Input,
    owners: readonly string[],
    result: { readonly toWrite: string[]; readonly announceabilityChanged: Claim[]; readonly outdated: string[] },
  ): void {
    const { name, entry, interfaces } = input;
    const claim = this.#announced(name);
    const present = claim === undefined ? [] : this.#present(name, entry);
    const unchanged = sameTexts(present, input.address?.current ?? []) && input.pinned === this.#pinned(name);
    if (!unchanged || !sameInput(input, this.#entries.get(name), claim)) {
      result.outdated.push(name);
      return;
    }
    if (claim === undefined) {
      this.forget(name);
      return;
    }
    const list = this.#listFor(name, owners);
    this.#assign(claim, ownerAssignment(list, interfaces), this.#preferredFor(input, present, list));
    const known = entry?.assignment.owners;
    if (known !== undefined && known.length > 0 !== owners.length > 0) result.announceabilityChanged.push(claim);
    this.#unwritten.delete(name);
    if (!this.differs(name)) return;
    this.#unwritten.add(name);
    result.toWrite.push(name);
  }

  /** The preferred nodes for which this list takes the address from a node that could announce it, as `Entry.preferred`. */
  #preferredFor(
    { name, entry, address, preferred }: Input,
    [before]: readonly string[],
    [first]: readonly string[],
  ): ReadonlySet<string> | undefined {
    if (before !== first) return before !== undefined && address?.candidates.includes(before) ? preferred : undefined;
    return this.#unwritten.has(name) ? entry?.preferred : undefined;
  }

  /**
   * The list to write. Where another owner than the first one announces, and the plan nevertheless prefers the first one, the object would
   * stay as it is, and so would the speakers. The list then begins with the announcer once, and is planned again when that is written.
   */
  #listFor(name: string, owners: readonly string[]): readonly string[] {
    const announcer = this.#followed(name);
    this.#detours.delete(name);
    if (announcer === undefined || !sameTexts(owners, this.#ownersInObject(name))) return owners;
    this.#detours.add(name);
    return ownersFrom(announcer, owners);
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

  #ownersInObject(name: string): readonly string[] {
    const object = this.#options.virtualIps.views.get(name);
    return object === undefined ? [] : ownersOf(object).owners;
  }

  #preferredNodes({ name, services }: Claim, candidates: Candidates): ReadonlySet<string> | undefined {
    const local = this.#options.services.localNodes(services);
    return preferredNodes({ ...candidates, local, pinned: this.#pinned(name) });
  }

  /** The node that the user has pinned the address to. */
  #pinned(name: string): string | undefined {
    return this.#options.virtualIps.views.get(name)?.metadata.annotations[nodeAnnotation];
  }

  #assign(claim: Claim, assignment: OwnerAssignment, preferred?: ReadonlySet<string>): void {
    const before = this.desired(claim.name)?.owners ?? [];
    this.#entries.set(claim.name, { claim, assignment, preferred, pinned: this.#pinned(claim.name) });
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
