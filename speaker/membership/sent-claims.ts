import { type ClaimEntry, type ClaimsMessage, maxClaimEntries, maxUint32 } from "../../src/heartbeat/messages.ts";

/** How many messages may be on their way to a peer before it has acknowledged one. */
const window = 16;

/**
 * What one peer has to learn of the claims of this node, and has not acknowledged. An entry is an address and the version of its last
 * change; what is sent about it is always its state at that time.
 */
export class SentClaims {
  #version = 0;
  #acknowledged = 0;
  #sent = 0;
  /** By address, in the order of versions. */
  readonly #pending = new Map<string, number>();

  get version(): number {
    return this.#version;
  }

  /** There is something that was not acknowledged. */
  get isPending(): boolean {
    return this.#version > this.#acknowledged;
  }

  /**
   * There is something to send, and nothing is on its way. So changes in quick succession share a message, and do not overtake each
   * other.
   */
  get isReady(): boolean {
    return this.#version > this.#sent && this.#sent === this.#acknowledged;
  }

  /** The claim to the address has changed. */
  add(address: string): void {
    this.#pending.delete(address);
    this.#version = Math.min(this.#version + 1, maxUint32);
    this.#pending.set(address, this.#version);
  }

  /**
   * The peer knows nothing, or something else than this. `has`: the version that it says it has. `addresses`: what is held. What it
   * receives next replaces everything.
   */
  reset(addresses: Iterable<string>, has: number): void {
    const isFirst = this.#version === 0 && has === 0;
    this.#pending.clear();
    this.#acknowledged = 0;
    this.#sent = 0;
    this.#version = Math.max(this.#version, has);
    for (const address of addresses) this.add(address);
    // What the peer had before must become void, even where nothing takes its place.
    if (!isFirst) this.#version = Math.min(this.#version + 1, maxUint32);
  }

  /** The peer has this version. Returns false where it cannot have it, or had a later one: then `reset`. */
  acknowledge(version: number): boolean {
    if (version > this.#version || version < this.#acknowledged) return false;
    if (version === this.#acknowledged) return true;
    this.#acknowledged = version;
    this.#sent = Math.max(this.#sent, version);
    for (const [address, changed] of this.#pending) {
      if (changed > version) break;
      this.#pending.delete(address);
    }
    return true;
  }

  /** What was sent may be lost: it is sent again. */
  rewind(): void {
    this.#sent = this.#acknowledged;
  }

  /** The next messages, once `isReady`: at most `window`. */
  take(session: number, entryOf: (address: string) => ClaimEntry): readonly ClaimsMessage[] {
    const messages: ClaimsMessage[] = [];
    let entries: ClaimEntry[] = [];
    const finish = (version: number): void => {
      messages.push({ kind: "claims", session, base: this.#sent, version, entries });
      this.#sent = version;
      entries = [];
    };
    for (const [address, changed] of this.#pending) {
      if (messages.length === window) return messages;
      entries.push(entryOf(address));
      if (entries.length === maxClaimEntries) finish(changed);
    }
    // Versions without an entry are those of changes that later ones have replaced.
    if (messages.length < window && this.#sent < this.#version) finish(this.#version);
    return messages;
  }
}
