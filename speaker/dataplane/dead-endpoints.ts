import { parseAddress } from "../../src/ip/address.ts";
import { addressData, type Data } from "../../src/nft/data.ts";

/** Endpoints that are gone with their node, of Services with these addresses. All of one family. Plain data. */
export interface DeadEndpoints {
  /** Addresses of Services. */
  readonly destinations: ReadonlySet<string>;
  /** Addresses of endpoints. */
  readonly endpoints: ReadonlySet<string>;
}

/** A connection as it is tracked: addresses in network order. */
export interface TrackedAddresses {
  readonly destination: Uint8Array;
  /** The zone of the direction from the client alone. */
  readonly zone: number | undefined;
  /** Where the answers come from. */
  readonly replySource: Uint8Array;
}

/** Knows which connections lead to dead endpoints. `rewriteZone`: connections in it are rewritten to node ports, for whatever address. */
export class DeadConnections {
  readonly #destinations: ReadonlySet<Data>;
  readonly #endpoints: ReadonlySet<Data>;
  readonly #rewriteZone: number;

  constructor({ destinations, endpoints }: DeadEndpoints, rewriteZone: number) {
    this.#destinations = dataOf(destinations);
    this.#endpoints = dataOf(endpoints);
    this.#rewriteZone = rewriteZone;
  }

  has({ destination, zone, replySource }: TrackedAddresses): boolean {
    if (!this.#endpoints.has(String.fromCharCode(...replySource))) return false;
    return zone === this.#rewriteZone || this.#destinations.has(String.fromCharCode(...destination));
  }
}

function dataOf(addresses: ReadonlySet<string>): ReadonlySet<Data> {
  return new Set([...addresses].flatMap((text) => parseAddress(text) ?? []).map(addressData));
}
