import type { Claim, ClaimsMessage } from "../../src/heartbeat/messages.ts";
import { NameIndex } from "../../src/index/name-index.ts";

/** How many addresses are kept of one node; more than an announcer of a whole cluster has. What is beyond is ignored. */
const maxAddresses = 65_536;

/** How many messages wait for the one that they follow; as many as a node sends at once. */
const maxEarly = 16;

interface ClaimsOfNode {
  version: number;
  readonly held: Map<string, Claim>;
  readonly passed: Set<string>;
  /** Messages that have overtaken the one that they follow. */
  readonly early: ClaimsMessage[];
  /** Held according to what came before a message that replaces everything, and not confirmed since. */
  stale: Set<string> | undefined;
}

function noClaims(): ClaimsOfNode {
  return { version: 0, held: new Map(), passed: new Set(), early: [], stale: undefined };
}

const nothing = noClaims();

/** The claims of other nodes, as they told them. Says nothing of whether these nodes are alive. */
export class ReceivedClaims {
  readonly #nodes = new Map<string, ClaimsOfNode>();
  readonly #holders = new NameIndex();

  /** The version of the claims of the node that is known here. */
  versionOf(node: string): number {
    return this.#of(node).version;
  }

  /** The nodes that claim the address. */
  holdersOf(address: string): Iterable<string> {
    return this.#holders.of(address);
  }

  claimOf(node: string, address: string): Claim | undefined {
    return this.#of(node).held.get(address);
  }

  /** The addresses that the node claims. Do not change them while you iterate. */
  heldBy(node: string): Iterable<string> {
    return this.#of(node).held.keys();
  }

  /** It is the turn of the node, and it cannot. */
  hasPassed(node: string, address: string): boolean {
    return this.#of(node).passed.has(address);
  }

  /** Returns the addresses that have changed. A message that has overtaken another one has its effect after that. */
  apply(node: string, message: ClaimsMessage): readonly string[] {
    const known = this.#of(node);
    if (message.version <= known.version) return [];
    const claims = known === nothing ? noClaims() : known;
    this.#nodes.set(node, claims);
    if (message.base > claims.version) {
      if (claims.early.length < maxEarly) claims.early.push(message);
      return [];
    }
    const changed: string[] = [];
    for (let next: ClaimsMessage | undefined = message; next !== undefined; next = takeNext(claims)) {
      this.#applyOne(node, claims, next);
      for (const { address } of next.entries) changed.push(address);
    }
    return changed;
  }

  /** The node says that its claims have this version. Returns the addresses that it no longer claims, if that is what is known. */
  complete(node: string, version: number): readonly string[] {
    const claims = this.#of(node);
    if (claims.stale === undefined || claims.version !== version) return [];
    const released = [...claims.stale];
    claims.stale = undefined;
    for (const address of released) this.#release(node, claims, address);
    return released;
  }

  /** Another process runs on the node, which told nothing. What the one before claimed stays until `complete`. */
  restart(node: string): void {
    const claims = this.#nodes.get(node);
    if (claims === undefined) return;
    claims.version = 0;
    claims.passed.clear();
    claims.early.length = 0;
    claims.stale = new Set(claims.held.keys());
  }

  /** Another process runs on the node, or none: what it told is void. Returns what it claimed. */
  forget(node: string): ReadonlyMap<string, Claim> {
    const { held } = this.#of(node);
    for (const address of held.keys()) this.#holders.delete(address, node);
    this.#nodes.delete(node);
    return held;
  }

  #of(node: string): ClaimsOfNode {
    return this.#nodes.get(node) ?? nothing;
  }

  #applyOne(node: string, claims: ClaimsOfNode, { base, version, entries }: ClaimsMessage): void {
    if (base === 0 && claims.held.size > 0) claims.stale = new Set(claims.held.keys());
    if (base === 0) claims.passed.clear();
    claims.version = version;
    for (const entry of entries) {
      if (entry.state === "passed") {
        if (claims.passed.size < maxAddresses) claims.passed.add(entry.address);
        // What it held before it restarted stays reserved for it, although it cannot take it now.
        if (claims.stale?.has(entry.address) === true) continue;
      } else claims.passed.delete(entry.address);
      claims.stale?.delete(entry.address);
      if (entry.state === "held") this.#hold(node, claims, entry.address, entry.claim);
      else this.#release(node, claims, entry.address);
    }
  }

  #hold(node: string, { held }: ClaimsOfNode, address: string, claim: Claim): void {
    if (!held.has(address)) {
      if (held.size >= maxAddresses) return;
      this.#holders.add(address, node);
    }
    held.set(address, claim);
  }

  #release(node: string, { held }: ClaimsOfNode, address: string): void {
    if (held.delete(address)) this.#holders.delete(address, node);
  }
}

/** Removes and returns a message that follows what is known now. */
function takeNext({ early, version }: ClaimsOfNode): ClaimsMessage | undefined {
  for (let index = early.length - 1; index >= 0; index--) {
    const message = early[index];
    if (message === undefined || message.base > version) continue;
    early.splice(index, 1);
    if (message.version > version) return message;
  }
  return undefined;
}
