import type { MessagePort } from "node:worker_threads";

/** What the thread is started with. */
export interface ThreadStart {
  readonly requests: MessagePort;
  /** Memory of the AliveCounter that the thread increments after each turn and each request. */
  readonly aliveCount: SharedArrayBuffer;
  readonly data: unknown;
}

export type ThreadReport<Report> =
  | {
      /** Requests are read once 8 bytes have been written to this eventfd(2). */
      readonly kind: "ready";
      readonly wakeFd: number;
    }
  /** The thread ends because of this. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "report"; readonly report: Report };
