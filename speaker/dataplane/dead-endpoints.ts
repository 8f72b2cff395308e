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
export interface TrackedConnection {
  readonly destination: Uint8Array;
  /** The zone of the direction from the client alone. */
  readonly zone: number | undefined;
  /** Where the answers come from. */
  readonly replySource: Uint8Array;
  /** Both sides have ended the connection. */
  readonly timeWait: boolean;
}

/**
 * Knows which connections to dead endpoints are to be deleted. `rewriteZone`: connections in it are rewritten to node ports, for whatever address.
 *
 * A connection in TIME_WAIT is none of them. Nothing is left to reset, and a client that uses its port again reopens it, which chooses an endpoint
 * (nf_conntrack_tcp_packet deletes the entry on a SYN). But the pod may live on, cut off or not, and it waits as well, for a minute (RFC 9293
 * section 3.6.1). Without the entry, masquerading takes the same port for a new connection to that pod, which answers its SYN as one of the old
 * connection where the timestamps do not increase (RFC 7323 section 5): the client has to begin again, some of them after a second.
 */
export class DeadConnections {
  readonly #destinations: ReadonlySet<Data>;
  readonly #endpoints: ReadonlySet<Data>;
  readonly #rewriteZone: number;

  constructor({ destinations, endpoints }: DeadEndpoints, rewriteZone: number) {
    this.#destinations = dataOf(destinations);
    this.#endpoints = dataOf(endpoints);
    this.#rewriteZone = rewriteZone;
  }

  has({ destination, zone, replySource, timeWait }: TrackedConnection): boolean {
    if (timeWait) return false;
    if (!this.#endpoints.has(String.fromCharCode(...replySource))) return false;
    return zone === this.#rewriteZone || this.#destinations.has(String.fromCharCode(...destination));
  }
}

function dataOf(addresses: ReadonlySet<string>): ReadonlySet<Data> {
  return new Set([...addresses].flatMap((text) => parseAddress(text) ?? []).map(addressData));
}
