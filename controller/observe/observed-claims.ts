import type { Clock } from "../../src/clock/clock.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { invalidClaimSource } from "../allocate/allocations/blocked-addresses.ts";
import { addressesOfInvalid, type Claim, parseClaim } from "../allocate/claim/claim.ts";
import { Quarantine } from "./quarantine.ts";
import type { Watched } from "./sources.ts";

/** What follows from one VirtualIP that was added, modified or deleted. */
export interface ClaimChange {
  /** The claims, old and new, whose Services must be planned again. */
  readonly changed: readonly Claim[];
  /** The claim that is gone. */
  readonly gone: Claim | undefined;
}

/** A VirtualIP that does not follow its schema, and why. */
export interface UnreadableClaim {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly reason: Reason;
}

/** A claim that we created and that the watch has not shown for this long counts as lost. */
const unseenLimitMs = 60_000;

/** Brings VirtualIPs from the watch into the allocations, and knows which claims the watch has not confirmed. */
export class ObservedClaims {
  readonly #virtualIps: Watched["virtualIps"];
  readonly #allocations: AddressAllocations;
  readonly #clock: Clock;
  readonly #invalidReasons = new Map<string, Reason>();
  readonly #unreadable = new Map<string, UnreadableClaim>();
  /** The last uid that the watch has shown, by name of the VirtualIP. */
  readonly #seenUids = new Map<string, string>();
  readonly #quarantine: Quarantine;
  /** Since when a claim has been in the allocations without being shown, in monotonic ms. */
  readonly #unseenSinceMs = new Map<string, number>();

  constructor(virtualIps: Watched["virtualIps"], allocations: AddressAllocations, clock: Clock) {
    this.#virtualIps = virtualIps;
    this.#allocations = allocations;
    this.#clock = clock;
    this.#quarantine = new Quarantine(allocations);
  }

  /** Call it for each VirtualIP that was added, modified or deleted. */
  observe(name: string): ClaimChange {
    const object = this.#virtualIps.views.get(name);
    const before = this.#allocations.claims.get(name);
    const { claim, reason } = object === undefined ? {} : parseClaim(object);
    this.#quarantine.observe(name, claim);
    if (reason === undefined) this.#invalidReasons.delete(name);
    else this.#invalidReasons.set(name, reason);
    const blocked = reason === undefined ? [] : addressesOfInvalid(name, object?.spec.address);
    this.#allocations.block(invalidClaimSource(name), blocked);
    if (claim !== undefined) {
      this.#seenUids.set(name, claim.uid);
      this.#unseenSinceMs.delete(name);
      this.#allocations.put(claim);
      if (before !== undefined && sameClaim(before, claim)) return { changed: [], gone: undefined };
      return { changed: before === undefined ? [claim] : [before, claim], gone: undefined };
    }
    // The deleted object may be older than the one of the same name that we have just created.
    const older = before !== undefined && before.uid !== this.#seenUids.get(name);
    this.#seenUids.delete(name);
    if (before === undefined || older) return { changed: [], gone: undefined };
    this.#allocations.drop(name);
    return { changed: [before], gone: before };
  }

  /** A VirtualIP does not follow its schema. Without `invalid` it follows it again, or was deleted. Call it after `observe`. */
  reject(name: string, invalid: InvalidObject | undefined, raw: unknown): void {
    const { metadata, spec } = (raw ?? {}) as {
      metadata?: { uid?: string; resourceVersion?: string };
      spec?: { address?: unknown };
    };
    const blocked = invalid === undefined ? [] : addressesOfInvalid(name, spec?.address);
    this.#allocations.block(invalidClaimSource(name), blocked);
    if (invalid === undefined) {
      this.#unreadable.delete(name);
      return;
    }
    const value = typeof spec?.address === "string" ? spec.address : "";
    const about = { object: `VirtualIP ${name}`, field: "spec.address", value, detail: invalid.message };
    const { uid = "", resourceVersion = "" } = metadata ?? {};
    this.#unreadable.set(name, { name, uid, resourceVersion, reason: reasonOf("VirtualIpInvalid", about) });
  }

  /** The VirtualIP of this name if it does not follow its schema. It is not in the views then. */
  unreadable(name: string): UnreadableClaim | undefined {
    return this.#unreadable.get(name);
  }

  /** Names of the VirtualIPs that do not follow their schema. */
  get unreadableNames(): Iterable<string> {
    return this.#unreadable.keys();
  }

  /** Why the VirtualIP is not a valid claim. Undefined: it is valid, or does not exist. */
  invalidReason(name: string): Reason | undefined {
    return this.#invalidReasons.get(name);
  }

  /** Drops claims that were about to be created when our last term ended. */
  dropUnconfirmed(): void {
    const seen = this.#virtualIps.views;
    for (const { name } of [...this.#allocations.claims.values()]) if (!seen.has(name)) this.#allocations.drop(name);
  }

  /** Names of the VirtualIPs whose quarantine ends early, because too many addresses are quarantined. */
  get excessQuarantines(): readonly string[] {
    return this.#quarantine.excess;
  }

  /** Drops and returns the claims that were created but that the watch has not shown for a minute. Call it repeatedly. */
  dropLost(): readonly Claim[] {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#virtualIps.views;
    const lost: Claim[] = [];
    for (const claim of this.#allocations.claims.values()) {
      if (seen.has(claim.name) || claim.uid === "") this.#unseenSinceMs.delete(claim.name);
      else if (nowMs - (this.#unseenSinceMs.get(claim.name) ?? nowMs) >= unseenLimitMs) lost.push(claim);
      else if (!this.#unseenSinceMs.has(claim.name)) this.#unseenSinceMs.set(claim.name, nowMs);
    }
    for (const claim of lost) this.#allocations.drop(claim.name);
    return lost;
  }
}

/** Whether the same Services hold the claim as before, with the same conflict. A claim that was about to be created had no uid yet. */
function sameClaim(before: Claim, after: Claim): boolean {
  return (
    (before.uid === after.uid || before.uid === "") &&
    before.pool === after.pool &&
    before.managed === after.managed &&
    before.heldUntilMs === after.heldUntilMs &&
    before.conflict === after.conflict &&
    // The ipMode in the status depends on it.
    before.forwarding?.mode === after.forwarding?.mode &&
    before.usedBefore === after.usedBefore &&
    JSON.stringify(before.services) === JSON.stringify(after.services)
  );
}
