import { writeSync } from "node:fs";
import { MessageChannel, type MessagePort, type Transferable, Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { BellhopError } from "../../src/error/error.ts";
import type { ThreadReport, ThreadStart } from "./messages.ts";

export interface PollingThreadOptions<Report> {
  /** For messages: `kernel`. */
  readonly name: string;
  /** The program of the thread, which calls `runPollingThread`. */
  readonly program: URL;
  readonly received: (report: Report) => void;
  /** The thread has ended after it had started, also by `stop`. Called once. */
  readonly ended: (error: BellhopError) => void;
  readonly log: Logger;
}

/** The main thread's end of a thread that blocks in poll(2). `Request` and `Report` are plain data. */
export class PollingThread<Request, Report> {
  readonly #options: PollingThreadOptions<Report>;
  /** Only while the thread is alive. */
  #thread: { readonly requests: MessagePort; readonly wakeFd: number } | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: PollingThreadOptions<Report>) {
    this.#options = options;
  }

  /** Whether the thread has started and not ended. */
  get alive(): boolean {
    return this.#thread !== undefined;
  }

  /** Whether `stop` was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Starts the thread with this data and resolves when it reads requests. Rejects with BellhopError WorkerFailed. Call it once. */
  start(data: unknown): Promise<void> {
    const { name, program, received } = this.#options;
    const { port1: requests, port2 } = new MessageChannel();
    const workerData: ThreadStart = { requests: port2, data };
    const worker = new Worker(program, { workerData, transferList: [port2], name });
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    let cause: unknown;
    worker.on("message", (report: ThreadReport<Report>) => {
      switch (report.kind) {
        case "ready":
          this.#thread = { requests, wakeFd: report.wakeFd };
          resolve();
          break;
        case "failed":
          cause = new Error(report.reason);
          break;
        case "report":
          received(report.report);
      }
    });
    worker.on("error", (error) => {
      cause ??= error;
    });
    worker.on("exit", (code) => {
      const wasAlive = this.alive;
      this.#thread = undefined;
      requests.close();
      ended.resolve();
      const error = new BellhopError("WorkerFailed", `the ${name} thread ended with code ${code}`, { cause });
      if (wasAlive) this.#options.ended(error);
      else if (!this.#stopping) reject(error);
    });
    return started;
  }

  /** Sends the request. Does nothing when the thread does not run or is being stopped. */
  send(request: Request, transfer: readonly Transferable[] = []): void {
    if (!this.#stopping) this.#post(request, transfer);
  }

  /** Sends the request that stops the work, and waits until the thread has ended. */
  async stop(last: Request): Promise<void> {
    this.#stopping = true;
    this.#post(last, []);
    await this.#ended;
  }

  #post(request: Request, transfer: readonly Transferable[]): void {
    if (this.#thread === undefined) return;
    this.#thread.requests.postMessage(request, [...transfer]);
    try {
      // Does not block: the eventfd is non-blocking, and one write in it is enough.
      writeSync(this.#thread.wakeFd, new Uint8Array(BigUint64Array.of(1n).buffer));
    } catch (error) {
      // The thread looks for requests now and then in any case; the descriptor is gone when it has just ended.
      const { name, log } = this.#options;
      if (!this.#stopping) log.warn({ err: error }, `cannot wake the ${name} thread`);
    }
  }
}
