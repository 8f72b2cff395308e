import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { ownersOf, ownersTermOf, sameTexts } from "../../src/placement/owner-assignment.ts";
import { announcerOfTerm, followedAnnouncer, ownersFrom } from "./follow-announcer.ts";
import { PreferredMoves } from "./preferred-moves.ts";

/** A list that takes an address from a node that could announce it, for one that is preferred. */
export interface PreferredMove {
  readonly to: string;
  /** All nodes that are preferred. */
  readonly preferred: ReadonlySet<string>;
}

/**
 * Knows which owner announces each address, as far as speakers report it of the newest list, and what follows from that for the next one. Writes
 * nothing.
 */
export class AnnouncerFollower {
  readonly #virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  /** Lists that were written and that the watch has not shown yet, by name of the VirtualIP. */
  readonly #written = new Map<string, { readonly uid: string; readonly term: number }>();
  /** Names whose list begins with the announcer only so that the next one, which begins as the last one did, is a change for speakers. */
  readonly #detours = new Set<string>();
  readonly #preferredMoves = new PreferredMoves();

  constructor(virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> }) {
    this.#virtualIps = virtualIps;
  }

  /** Call it with each object as it is after a write of ours. `move`: what its owner list is for; undefined: nothing in particular. */
  written(object: VirtualIP, move: PreferredMove | undefined): void {
    const { name, uid } = object.metadata;
    const shown = this.#virtualIps.views.get(name);
    const term = ownersTermOf(object);
    if (shown?.metadata.uid !== uid || ownersTermOf(shown) < term) this.#written.set(name, { uid, term });
    if (move !== undefined) this.#preferredMoves.record(name, move.to, move.preferred);
  }

  /** Call it with each object that the watch shows. */
  observe(object: VirtualIP): void {
    const { name, uid } = object.metadata;
    const written = this.#written.get(name);
    if (written !== undefined && (written.uid !== uid || written.term <= ownersTermOf(object))) {
      this.#written.delete(name);
    }
    const announcer = announcerOfTerm(object);
    if (announcer !== undefined) this.#preferredMoves.announced(name, announcer);
  }

  /** Call it when nodes were added or removed, or can serve other addresses. */
  nodesChanged(): void {
    this.#preferredMoves.clear();
  }

  forget(name: string): void {
    this.#written.delete(name);
    this.#detours.delete(name);
    this.#preferredMoves.forget(name);
  }

  reset(): void {
    this.#written.clear();
    this.#detours.clear();
    this.#preferredMoves.clear();
  }

  /** `desired`, or else the list in the object; beginning with the announcer where that is a waiting owner. */
  presentOwners(name: string, desired: readonly string[] | undefined): readonly string[] {
    const announcer = this.#followed(name);
    if (announcer !== undefined) return ownersFrom(announcer, this.#ownersInObject(name));
    return desired ?? this.#ownersInObject(name);
  }

  /**
   * The nodes that come first. Where an address was moved to a preferred node, and the speakers gave it to `announcer`, that one counts as
   * preferred, too, so that the address stays.
   */
  withDeclined(
    name: string,
    preferred: ReadonlySet<string> | undefined,
    announcer: string | undefined,
  ): ReadonlySet<string> | undefined {
    if (preferred === undefined || announcer === undefined || preferred.has(announcer)) return preferred;
    return this.#preferredMoves.has(name, preferred) ? new Set([...preferred, announcer]) : preferred;
  }

  /**
   * The list to write for a plan. Where a waiting owner announces, and the plan nevertheless prefers the first one, the object would stay as
   * it is, and so would the speakers. The list then begins with the announcer once, and must be planned again when that is written.
   */
  listFor(name: string, planned: readonly string[]): readonly string[] {
    const announcer = this.#followed(name);
    this.#detours.delete(name);
    if (announcer === undefined || !sameTexts(planned, this.#ownersInObject(name))) return planned;
    this.#detours.add(name);
    return ownersFrom(announcer, planned);
  }

  /** Whether the list is to be planned again as soon as it is written. */
  isDetour(name: string): boolean {
    return this.#detours.has(name);
  }

  /** The waiting owner that announces the address. */
  #followed(name: string): string | undefined {
    const object = this.#virtualIps.views.get(name);
    return object === undefined || this.#written.has(name) ? undefined : followedAnnouncer(object);
  }

  #ownersInObject(name: string): readonly string[] {
    const object = this.#virtualIps.views.get(name);
    return object === undefined ? [] : ownersOf(object).owners;
  }
}
