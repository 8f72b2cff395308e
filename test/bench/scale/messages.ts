/** How large the cluster is. */
export interface ScaleSize {
  readonly nodes: number;
  readonly services: number;
  /** Besides the one that the Services have their addresses from. */
  readonly pools: number;
}

/**
 * What the parent makes the API server do. `expireWatches`: each watch receives the error 410 Expired, and no earlier version can be watched
 * again. `expireWatchesAfterChanges`: meanwhile each Service and VirtualIP has changed. `refuseWatchLists`: from now on
 * watches may not begin with the whole collection, as in API servers without that feature.
 */
export type ApiCommand =
  | "loseNode"
  | "labelNode"
  | "editPool"
  | "expireWatches"
  | "expireWatchesAfterChanges"
  | "refuseWatchLists"
  | "count";

export interface ApiReply {
  readonly url?: string;
  /** Writes since the Services were prepared, without those of leases. */
  readonly writes?: number;
  /** Lists, watches and gets since then, without those of the leader lease. */
  readonly reads?: number;
}

/** `start`: begin to watch and to take part in the leader election. `reset`: forget what was measured. `read`: tell it. */
export type ControllerCommand = "start" | "reset" | "read";

export interface ControllerReply {
  /** The longest time for which the event loop did nothing else. */
  readonly stallMs: number;
  readonly cpuMs: number;
  readonly leading: boolean;
  /** How often it began to lead. More than once: it has lost the lease. */
  readonly terms: number;
  /** From the whole first lists to the first time at which nothing waited. */
  readonly beginMs: number | undefined;
  readonly residentMiB: number;
}
