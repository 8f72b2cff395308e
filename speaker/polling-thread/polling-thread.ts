import { writeSync } from "node:fs";
import { MessageChannel, type MessagePort, type Transferable, Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { type Clock, pause, repeat } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { endProcess } from "../../src/libc/libc.ts";
import { AliveCounter } from "./alive-counter.ts";
import { HangDetector } from "./hang-detector.ts";
import type { ThreadReport, ThreadStart } from "./messages.ts";

export interface PollingThreadOptions<Report> {
  /** For messages: `kernel`. */
  readonly name: string;
  /** The program of the thread, which calls `runPollingThread`. */
  readonly program: URL;
  readonly received: (report: Report) => void;
  /** The thread has ended after it had started, also by `stop`, or it hangs. Called once. */
  readonly ended: (error: BellhopError) => void;
  /** A thread that does no turn of its loop and no request for this long hangs. */
  readonly hangMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is looked whether the thread hangs. */
const lookMs = 2_000;

/** A look that comes later was late with the whole process, as when it was frozen. */
const longestLookMs = 3_000;

/** How long `stop` waits for the thread. With everything else that a stop waits for, it fits into `graceMs` of src/cli/run.ts. */
const stopLimitMs = 2_000;

/** The main thread's end of a thread that blocks in poll(2). `Request` and `Report` are plain data. */
export class PollingThread<Request, Report> {
  readonly #options: PollingThreadOptions<Report>;
  /** Until the thread has ended. */
  #thread: { readonly requests: MessagePort; readonly wakeFd: number } | undefined;
  /** Requests from before the thread reads any, in order; undefined: it did once. */
  #early: { readonly request: Request; readonly transfer: readonly Transferable[] }[] | undefined = [];
  readonly #aliveCounter = new AliveCounter();
  readonly #hangDetector: HangDetector;
  readonly #looking = new AbortController();
  /** Resolves when the thread has ended, whatever it did before. */
  #exited: Promise<void> = Promise.resolve();
  #hangs = false;
  #stopping = false;
  #worker: Worker | undefined;

  constructor(options: PollingThreadOptions<Report>) {
    this.#options = options;
    const { clock, hangMs } = options;
    this.#hangDetector = new HangDetector({
      count: () => this.#aliveCounter.count(),
      now: () => clock.monotonicMs(),
      limitMs: hangMs,
      longestLookMs,
    });
  }

  /** For how long the thread had done nothing when it was last looked at. */
  get silentMs(): number {
    return this.#hangDetector.silentMs;
  }

  /** Whether the thread has started and not ended, and does not hang. */
  get alive(): boolean {
    return this.#thread !== undefined && !this.#hangs;
  }

  /** Whether `stop` was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Starts the thread with this data and resolves when it reads requests. Rejects with BellhopError WorkerFailed. Call it once. */
  start(data: unknown): Promise<void> {
    const { name, program, received } = this.#options;
    const { port1: requests, port2 } = new MessageChannel();
    const workerData: ThreadStart = { requests: port2, aliveCount: this.#aliveCounter.shared, data };
    const worker = new Worker(program, { workerData, transferList: [port2], name });
    this.#worker = worker;
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    let cause: unknown;
    worker.on("message", (report: ThreadReport<Report>) => {
      switch (report.kind) {
        case "ready":
          this.#thread = { requests, wakeFd: report.wakeFd };
          this.#sendEarly();
          this.#watch();
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
    // Node waits at its end for threads, and could not end one that waits in the kernel.
    process.once("exit", endProcess);
    worker.on("exit", (code) => {
      process.off("exit", endProcess);
      this.#looking.abort();
      const wasAlive = this.alive;
      this.#thread = undefined;
      this.#early = undefined;
      requests.close();
      exited.resolve();
      const error = new BellhopError("WorkerFailed", `the ${name} thread ended with code ${code}`, { cause });
      if (wasAlive) this.#options.ended(error);
      else if (!this.#stopping) reject(error);
    });
    return started;
  }

  /** Sends the request, or keeps it until the thread reads requests. Does nothing when the thread has ended or is being stopped. */
  send(request: Request, transfer: readonly Transferable[] = []): void {
    if (!this.#stopping) this.#post(request, transfer);
  }

  /**
   * Sends the request that stops the work, and waits until the thread has ended. Does not wait longer than 2 s: a thread that hangs then keeps nothing,
   * and ends with the process.
   */
  async stop(last: Request): Promise<void> {
    const { name, clock, log } = this.#options;
    this.#stopping = true;
    this.#post(last, []);
    const over = new AbortController();
    const ended = await Promise.race([this.#exited.then(() => true), pause(clock, stopLimitMs, over.signal)]);
    over.abort();
    if (ended === true) return;
    this.#looking.abort();
    this.#worker?.unref();
    log.warn({ thread: name }, "not waiting for the thread, which has not ended");
  }

  /** Looks now and then whether the thread hangs. One that does counts as ended, although only the end of the process ends it. */
  #watch(): void {
    const { name, clock, hangMs, ended } = this.#options;
    repeat(
      clock,
      () => lookMs,
      () => {
        if (!this.#hangDetector.hangs() || !this.alive) return;
        this.#hangs = true;
        ended(new BellhopError("WorkerFailed", `the ${name} thread has done nothing for ${hangMs / 1000} s`));
      },
      this.#looking.signal,
    );
  }

  #sendEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { request, transfer } of early) this.#post(request, transfer);
  }

  #post(request: Request, transfer: readonly Transferable[]): void {
    this.#early?.push({ request, transfer });
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
