import type { VirtualIP } from "../../src/config/virtual-ip.ts";
import type { Claim } from "../allocate/claim.ts";
import type { CandidatesOf } from "../owners/candidates.ts";
import { type OwnedAddress, ownersForNew, planOwners } from "../owners/owners.ts";

/** Who is to announce one address. */
export interface Announcement {
  /** Nodes in order; empty: nobody may. */
  readonly owners: readonly string[];
  readonly interfaces: readonly string[];
}

export interface OwnerKeeperOptions {
  readonly claims: () => Iterable<Claim>;
  readonly virtualIps: () => ReadonlyMap<string, VirtualIP>;
  readonly candidates: () => CandidatesOf;
  /** Nodes with ready endpoints for the Services of a claim; undefined: every node will do. */
  readonly localNodes: (claim: Claim) => ReadonlySet<string> | undefined;
}

/** What a pass has changed. */
export interface PassResult {
  /** VirtualIPs whose object says otherwise than is wanted. */
  readonly toWrite: readonly string[];
  /** Claims that got their first announcer, or lost the last. */
  readonly voiceChanged: readonly Claim[];
}

/**
 * Remembers who is to announce what, so that one new address is placed without looking at all others. What it remembers is what
 * is wanted; the objects follow.
 */
export class OwnerKeeper {
  readonly #options: OwnerKeeperOptions;
  readonly #wanted = new Map<string, Announcement>();
  readonly #loads = new Map<string, number>();
  /** Where we have decided anew and the object does not say so yet. */
  readonly #unwritten = new Set<string>();

  constructor(options: OwnerKeeperOptions) {
    this.#options = options;
  }

  /** How many addresses each node is first owner of. */
  get loads(): ReadonlyMap<string, number> {
    return this.#loads;
  }

  wanted(name: string): Announcement | undefined {
    return this.#wanted.get(name);
  }

  /** Places one address that has no announcement yet; gives the present one where it has. */
  announce(claim: Claim): Announcement {
    const known = this.#wanted.get(claim.name);
    if (known !== undefined) return known;
    const announcement = this.preview(claim);
    this.#set(claim.name, announcement);
    return announcement;
  }

  /** Who would announce the address, without remembering it. */
  preview(claim: Claim): Announcement {
    const known = this.#wanted.get(claim.name);
    if (known !== undefined) return known;
    const { nodes, interfaces } = this.#options.candidates()(claim.address, claim.pool);
    const owners = ownersForNew(this.#owned(claim, nodes, []), this.#loads);
    return { owners, interfaces };
  }

  forget(name: string): void {
    this.#set(name, undefined);
    this.#unwritten.delete(name);
  }

  /**
   * The object has changed. Where somebody else has written other owners, those count from now on, so that two who write never
   * push an address to and fro; gives whether that was so, and a pass is due to see whether they may announce at all.
   */
  heed(name: string): boolean {
    const spec = this.#options.virtualIps().get(name)?.spec;
    const wanted = this.#wanted.get(name);
    if (spec === undefined || wanted === undefined) return false;
    if (!this.differs(name)) this.#unwritten.delete(name);
    else if (!this.#unwritten.has(name) && !sameTexts(spec.owners, wanted.owners)) {
      this.#set(name, { owners: spec.owners, interfaces: wanted.interfaces });
      return true;
    }
    return false;
  }

  /** Forgets everything: what the objects say counts again. */
  reset(): void {
    this.#wanted.clear();
    this.#loads.clear();
    this.#unwritten.clear();
  }

  /** Plans all addresses anew; `even` see planOwners. Costs as much as there are addresses. */
  pass(even: boolean): PassResult {
    const candidatesOf = this.#options.candidates();
    const virtualIps = this.#options.virtualIps();
    const claims = [...this.#options.claims()].filter(isAnnounced);
    const interfaces = new Map<string, readonly string[]>();
    const owned = claims.map((claim) => {
      const candidates = candidatesOf(claim.address, claim.pool);
      interfaces.set(claim.name, candidates.interfaces);
      const present = this.#wanted.get(claim.name)?.owners ?? virtualIps.get(claim.name)?.spec.owners ?? [];
      return this.#owned(claim, candidates.nodes, present);
    });
    const plan = planOwners(owned, { even });
    const voiceChanged = claims.filter((claim) => {
      const before = this.#wanted.get(claim.name);
      return before !== undefined && before.owners.length > 0 !== (plan.get(claim.name) ?? []).length > 0;
    });
    this.#wanted.clear();
    this.#loads.clear();
    for (const [name, owners] of plan) this.#set(name, { owners, interfaces: interfaces.get(name) ?? [] });
    const toWrite = claims.map(({ name }) => name).filter((name) => this.differs(name));
    this.#unwritten.clear();
    for (const name of toWrite) this.#unwritten.add(name);
    return { toWrite, voiceChanged };
  }

  /** Whether the object exists and says otherwise than is wanted. */
  differs(name: string): boolean {
    const spec = this.#options.virtualIps().get(name)?.spec;
    const wanted = this.#wanted.get(name);
    if (spec === undefined || wanted === undefined) return false;
    return !sameTexts(spec.owners, wanted.owners) || !sameTexts(spec.interfaces, wanted.interfaces);
  }

  #owned(claim: Claim, candidates: readonly string[], present: readonly string[]): OwnedAddress {
    return { name: claim.name, present, candidates, local: this.#options.localNodes(claim) };
  }

  #set(name: string, announcement: Announcement | undefined): void {
    const before = this.#wanted.get(name)?.owners[0];
    if (before !== undefined) this.#loads.set(before, (this.#loads.get(before) ?? 1) - 1);
    if (announcement === undefined) {
      this.#wanted.delete(name);
      return;
    }
    this.#wanted.set(name, announcement);
    const first = announcement.owners[0];
    if (first !== undefined) this.#loads.set(first, (this.#loads.get(first) ?? 0) + 1);
  }
}

/** Neither what is reserved for nobody nor what is held for a Service that was deleted. */
function isAnnounced(claim: Claim): boolean {
  return claim.services.length > 0 && claim.heldUntilMs === undefined;
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}
