import type { RejectionReason } from "../../src/heartbeat/sealed-channel.ts";

/** Why packets of heartbeats are not accepted (RejectionReason in src/heartbeat). */
export const rejectionReasons = [
  "malformed",
  "otherVersion",
  "otherCluster",
  "otherRecipient",
  "unknownSender",
  "unknownKey",
  "forged",
  "replayed",
  "stale",
  "unproven",
] as const satisfies readonly RejectionReason[];

const rejectionCounters = rejectionReasons.map((reason) => `rejected.${reason}` as const);

/** The counters of the responder thread. */
export const counterNames = [
  "arpRequests",
  "arpReplies",
  "ndpSolicitations",
  "ndpAdvertisements",
  "gratuitousArp",
  "gratuitousNdp",
  "conflicts",
  "probes",
  "receiveErrors",
  "sendErrors",
  "silencedFrames",
  "malformedFrames",
  "unrelatedFrames",
  "lostFrames",
  "heartbeatsSent",
  "heartbeatsNotSent",
  "heartbeatsReceived",
  ...rejectionCounters,
  /** Turns of its loop: it lives as long as they increase, at least one each second. */
  "turns",
] as const;

export type CounterName = (typeof counterNames)[number];

/**
 * Counters in shared memory: one thread adds, any thread reads, no thread waits. They start at 0 and never wrap in practice
 * (64 bits).
 */
export class Counters {
  readonly shared: SharedArrayBuffer;
  readonly #cells: BigUint64Array;

  /** Counters in the given memory, or in new memory that is passed to another thread as `shared`. */
  constructor(shared = new SharedArrayBuffer(counterNames.length * BigUint64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#cells = new BigUint64Array(shared);
  }

  add(name: CounterName, count = 1): void {
    Atomics.add(this.#cells, counterNames.indexOf(name), BigInt(count));
  }

  read(name: CounterName): number {
    return Number(Atomics.load(this.#cells, counterNames.indexOf(name)));
  }
}
