/** How large the cluster is. */
export interface ScaleSize {
  readonly nodes: number;
  readonly services: number;
  /** Besides the one that the Services have their addresses from. */
  readonly pools: number;
}

/** What the parent makes the API server do. */
export type ApiCommand = "loseNode" | "labelNode" | "editPool" | "expireWatches" | "count";

export interface ApiReply {
  readonly url?: string;
  /** Writes since the Services were prepared, without those of leases. */
  readonly writes?: number;
}

/** `start`: begin to watch and to take part in the leader election. `reset`: forget what was measured. `read`: tell it. */
export type ControllerCommand = "start" | "reset" | "read";

export interface ControllerReply {
  /** The longest time for which the event loop did nothing else. */
  readonly stallMs: number;
  readonly cpuMs: number;
  readonly leading: boolean;
  /** How often it began to lead. */
  readonly terms: number;
  /** From the whole first lists to the first time at which nothing waited. */
  readonly beginMs: number | undefined;
  readonly residentMiB: number;
}
