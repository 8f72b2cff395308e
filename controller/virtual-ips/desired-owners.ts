import { type OwnerAssignment, sameTexts } from "../../src/placement/owner-assignment.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { OwnerCounts } from "../owners/owner-counts.ts";
import type { PreferredMove } from "./announcer-follower.ts";

/** The owners that are desired for an address, and the claim that they were chosen for. */
export interface DesiredEntry {
  readonly claim: Claim;
  readonly assignment: OwnerAssignment;
  /** Why the address leaves a node that could announce it. */
  readonly move?: PreferredMove | undefined;
  /** The node that the user had pinned it to. */
  readonly pinned: string | undefined;
}

/** The desired owners of each address, by name of the VirtualIP, and how many addresses each node owns by them. */
export class DesiredOwners {
  readonly #entries = new Map<string, DesiredEntry>();
  readonly counts = new OwnerCounts();
  /** Names whose owners were planned again and are not written yet. */
  readonly unwritten = new Set<string>();
  /** Increases whenever an address gets or loses owners other than by a plan. */
  revision = 0;

  get(name: string): DesiredEntry | undefined {
    return this.#entries.get(name);
  }

  /** Undefined: the address has no owners assigned. */
  assignment(name: string): OwnerAssignment | undefined {
    return this.#entries.get(name)?.assignment;
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  set(entry: DesiredEntry): void {
    const { name } = entry.claim;
    const before = this.assignment(name)?.owners ?? [];
    this.#entries.set(name, entry);
    if (sameTexts(before, entry.assignment.owners)) return;
    this.counts.remove(before);
    this.counts.add(entry.assignment.owners);
  }

  delete(name: string): void {
    const known = this.assignment(name);
    if (known !== undefined) this.counts.remove(known.owners);
    if (this.#entries.delete(name)) this.revision++;
    this.unwritten.delete(name);
  }

  clear(): void {
    this.#entries.clear();
    this.counts.clear();
    this.unwritten.clear();
  }
}
