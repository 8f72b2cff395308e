/** A change of an object as a watch has told it. */
export interface SeenObject {
  /** CLOCK_MONOTONIC, ms. */
  readonly atMs: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, and a wrong look leaves a line of the time line empty
  readonly object: any;
}
