import { ownerAssignment, sameTexts } from "../../src/placement/owner-assignment.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import type { CandidateLookup, Candidates } from "../owners/candidates.ts";
import type { OwnedAddress } from "../owners/owned-address.ts";
import { OwnerCounts } from "../owners/owner-counts.ts";
import { planOwners } from "../owners/owners.ts";
import type { AnnouncerFollower, PreferredMove } from "./announcer-follower.ts";
import type { DesiredEntry, DesiredOwners } from "./desired-owners.ts";
import { noInterfaces, type OwnerInputs, sameInputs } from "./owner-inputs.ts";

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

export interface OwnerReplanOptions {
  readonly inputs: OwnerInputs;
  readonly desired: DesiredOwners;
  readonly follower: AnnouncerFollower;
  /** Whether the object of this name exists and differs from what is desired. */
  readonly differs: (name: string) => boolean;
  readonly forget: (name: string) => void;
}

/** What the plan for one name was made from. */
interface Input {
  readonly name: string;
  readonly entry: DesiredEntry | undefined;
  /** Undefined: no claim of this name has to be announced. */
  readonly claim: Claim | undefined;
  readonly address: OwnedAddress | undefined;
  /** The nodes that are preferred. Undefined: all are equal. */
  readonly preferred: ReadonlySet<string> | undefined;
  /** The node that the user has pinned it to. */
  readonly pinned: string | undefined;
  readonly interfaces: Candidates["interfaces"];
}

/** Plans owners again, of all addresses or of some, and makes them the desired ones. Yields after each small step. */
export class OwnerReplan {
  readonly #options: OwnerReplanOptions;

  constructor(options: OwnerReplanOptions) {
    this.#options = options;
  }

  /** Plans the owners of all addresses again. `even`: see `planOwners`. Costs O(addresses). */
  *all(even: boolean): Generator<void, ReplanResult> {
    const { inputs, desired } = this.#options;
    const names = new Set([...desired.names, ...inputs.options.allocations.claims.keys()]);
    return yield* this.#replan(names, undefined, even);
  }

  /** Plans only these again. Comes to the same as `all(false)` if nothing that affects the others has changed. */
  *some(names: readonly string[]): Generator<void, ReplanResult> {
    const { desired } = this.#options;
    const others = new OwnerCounts(desired.counts);
    for (const name of names) others.remove(desired.assignment(name)?.owners ?? []);
    return yield* this.#replan(names, others, false);
  }

  /**
   * Takes the candidates of the moment when it begins, and reads everything else about an address when its turn comes. Before a list is
   * taken over, what it was made from is compared with what holds now. If it differs, the name is returned as outdated and keeps
   * its owners. So each list is right for its address, whatever happens between the steps. Only the counts, which depend on all
   * addresses together, may be less even than planned.
   */
  *#replan(names: Iterable<string>, others: OwnerCounts | undefined, even: boolean): Generator<void, ReplanResult> {
    const { desired } = this.#options;
    const { peers, candidates } = this.#options.inputs.options;
    const candidatesOf = candidates.current();
    const { revision } = desired;
    const inputs: Input[] = [];
    for (const name of names) {
      inputs.push(this.#read(name, candidatesOf));
      yield;
    }
    const addresses = inputs.flatMap(({ address }) => address ?? []);
    const options = { even, peers, fixed: candidates.cutOff, ...(others === undefined ? {} : { others }) };
    const plan = yield* planOwners(addresses, options);
    const disturbed = revision !== desired.revision;
    const result = { toWrite: [] as string[], announceabilityChanged: [] as Claim[], outdated: [] as string[] };
    for (const input of inputs) {
      this.#carryOut(input, plan.get(input.name) ?? [], result);
      yield;
    }
    return { ...result, disturbed: disturbed || result.outdated.length > 0 };
  }

  #read(name: string, candidatesOf: CandidateLookup): Input {
    const { inputs, desired, follower } = this.#options;
    const entry = desired.get(name);
    const claim = inputs.announced(name);
    const pinned = inputs.pinned(name);
    if (claim === undefined) {
      return { name, entry, claim, address: undefined, preferred: undefined, pinned, interfaces: noInterfaces };
    }
    const candidates = candidatesOf(claim);
    const { interfaces, nodes } = candidates;
    const current = follower.presentOwners(name, entry?.assignment.owners);
    const preferred = inputs.preferredNodes(claim, candidates);
    const local = follower.withDeclined(name, preferred, current[0]);
    const address = { name, current, candidates: nodes, local };
    return { name, entry, claim, address, preferred, pinned, interfaces };
  }

  #carryOut(
    input: Input,
    owners: readonly string[],
    result: { readonly toWrite: string[]; readonly announceabilityChanged: Claim[]; readonly outdated: string[] },
  ): void {
    const { inputs, desired, follower, differs, forget } = this.#options;
    const { name, entry, interfaces } = input;
    const claim = inputs.announced(name);
    const pinned = inputs.pinned(name);
    const present = claim === undefined ? [] : follower.presentOwners(name, entry?.assignment.owners);
    const unchanged = sameTexts(present, input.address?.current ?? []) && input.pinned === pinned;
    if (!unchanged || !isUpToDate(input, desired.get(name), claim)) {
      result.outdated.push(name);
      return;
    }
    if (claim === undefined) {
      forget(name);
      return;
    }
    const list = follower.listFor(name, owners);
    const move = this.#moveFor(input, present, list);
    desired.set({ claim, assignment: ownerAssignment(list, interfaces), move, pinned });
    const known = entry?.assignment.owners;
    if (known !== undefined && known.length > 0 !== owners.length > 0) result.announceabilityChanged.push(claim);
    desired.unwritten.delete(name);
    if (!differs(name)) return;
    desired.unwritten.add(name);
    result.toWrite.push(name);
  }

  /** Why this list takes the address from a node that could announce it. Undefined: it does not, or not for a preferred node. */
  #moveFor(
    { name, entry, address, preferred }: Input,
    [before]: readonly string[],
    [to]: readonly string[],
  ): PreferredMove | undefined {
    // Planned again before it was written.
    if (before === to) return this.#options.desired.unwritten.has(name) ? entry?.move : undefined;
    const leaves = before !== undefined && address?.candidates.includes(before) === true;
    return leaves && to !== undefined && preferred !== undefined ? { to, preferred } : undefined;
  }
}

/** Whether everything that decides the owners is as it was when the plan was made. */
function isUpToDate(input: Input, entry: DesiredEntry | undefined, claim: Claim | undefined): boolean {
  const before = input.entry?.assignment.owners;
  const owners = entry?.assignment.owners;
  if ((before === undefined) !== (owners === undefined) || !sameTexts(before ?? [], owners ?? [])) return false;
  if (input.claim === undefined || claim === undefined) return input.claim === claim;
  return sameInputs(input.claim, claim);
}
