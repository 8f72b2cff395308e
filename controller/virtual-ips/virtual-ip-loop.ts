import type { Random } from "../../src/clock/clock.ts";
import type { TermPart } from "../../src/kube/leadership-term.ts";
import { createObjectQueue } from "../../src/kube/object-queue.ts";
import type { Logger } from "../../src/log/log.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { WriteRateLimiter } from "../../src/queue/write-rate-limiter.ts";
import { VirtualIpWriter, type VirtualIpWriterOptions } from "./virtual-ip-writer.ts";

export interface VirtualIpLoopOptions extends Omit<VirtualIpWriterOptions, "limiter"> {
  /** How many VirtualIPs may be written at once. */
  readonly workers: number;
  readonly random: Random;
  readonly log: Logger;
}

/** Keeps owners, pool and conditions of VirtualIPs up to date, and ends holds. */
export class VirtualIpLoop implements TermPart {
  readonly #limiter: WriteRateLimiter;
  readonly queue: Queue<string>;

  constructor(options: VirtualIpLoopOptions) {
    const { workers, clock, random, log } = options;
    this.#limiter = new WriteRateLimiter(clock);
    const writer = new VirtualIpWriter({ ...options, limiter: this.#limiter });
    this.queue = createObjectQueue({
      kind: "VirtualIP",
      workers,
      handle: async (name) => {
        const againMs = await writer.write(name);
        if (againMs !== undefined) this.queue.addAfter(name, againMs);
        return "done";
      },
      clock,
      random,
      log,
    });
  }

  /** Call it when the VirtualIP differs from what is desired. It is written now, or a little later if it was written to very often. */
  add(name: string): void {
    this.#limiter.add(this.queue, name);
  }

  start(): void {
    this.queue.start();
  }

  stop(): Promise<void> {
    return this.queue.stop();
  }
}
