import { write } from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { BellhopError } from "../../src/error/error.ts";
import type { AddressChange } from "./address-change.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";
import { AliveCounter } from "./main-thread-watchdog.ts";
import type { ResponderState } from "./responder-state.ts";
import { SentState } from "./sent-state.ts";

export interface ObservedConflict {
  readonly interfaceName: string;
  readonly address: Uint8Array;
  readonly mac: Uint8Array;
}

/** Receives what the responder thread reports. */
export interface ResponderListener {
  /** Another device answers for an address that is announced here. */
  conflictObserved(conflict: ObservedConflict): void;
  /** The thread has ended without a `stop`, after it had started. Called once. */
  responderDied(error: BellhopError): void;
}

export interface ResponderOptions {
  readonly changes: ResponderListener;
  readonly log: Logger;
}

/** The main thread's interface to the responder thread. */
export interface Responder {
  readonly counters: Counters;
  /** Whether the thread has started and not ended. */
  readonly alive: boolean;
  /** What was last sent to the thread, without the interfaces that it reported as failed. */
  readonly state: ResponderState;
  /** Starts the thread and resolves when it sleeps in poll. Rejects with BellhopError WorkerFailed. Call it once. */
  start(): Promise<void>;
  /** Sends the difference to what is announced now; costs as much as there are addresses. */
  set(desired: ResponderState): void;
  /** Announces and withdraws these, and leaves all others as they are. */
  change(changes: readonly AddressChange[]): void;
  /** Shows the thread that the main thread is alive; without this call for 30 s it stops answering. */
  signalAlive(): void;
  /** Ends the thread, which then no longer answers. */
  stop(): Promise<void>;
}

/**
 * Where the thread's code is: beside this file, as `worker.ts` when run from source and as `worker.js` beside the bundle.
 */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
}

/** A responder whose thread does not run yet. */
export function createResponder(options: ResponderOptions): Responder {
  return new ResponderThread(options);
}

class ResponderThread implements Responder {
  readonly counters = new Counters();
  readonly #options: ResponderOptions;
  readonly #aliveCounter = new AliveCounter();
  readonly #sent = new SentState();
  /** Only while the thread is alive. */
  #thread: { readonly commands: MessagePort; readonly wakeFd: number } | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  get alive(): boolean {
    return this.#thread !== undefined;
  }

  start(): Promise<void> {
    const { port1: commands, port2 } = new MessageChannel();
    const workerData: ResponderStart = {
      commands: port2,
      counters: this.counters.shared,
      aliveCount: this.#aliveCounter.shared,
    };
    const worker = new Worker(workerUrl(), { workerData, transferList: [port2], name: "responder" });
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    let cause: unknown;
    worker.on("message", (report: ResponderReport) => {
      if (report.kind === "ready") {
        this.#thread = { commands, wakeFd: report.wakeFd };
        resolve();
      } else if (report.kind === "failed") cause = new Error(report.reason);
      else this.#receive(report);
    });
    worker.on("error", (error) => {
      cause ??= error;
    });
    worker.on("exit", (code) => {
      const wasAlive = this.alive;
      this.#thread = undefined;
      commands.close();
      ended.resolve();
      if (this.#stopping) return;
      const error = new BellhopError("WorkerFailed", `the responder thread ended with code ${code}`, { cause });
      if (wasAlive) this.#options.changes.responderDied(error);
      else reject(error);
    });
    return started;
  }

  get state(): ResponderState {
    return this.#sent.state;
  }

  set(desired: ResponderState): void {
    this.#send(this.#sent.set(desired));
  }

  change(changes: readonly AddressChange[]): void {
    this.#send(this.#sent.change(changes));
  }

  signalAlive(): void {
    this.#aliveCounter.increment();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#send([{ kind: "stop" }]);
    await this.#ended;
  }

  #send(commands: readonly ResponderCommand[]): void {
    if (commands.length === 0 || this.#thread === undefined) return;
    for (const command of commands) this.#thread.commands.postMessage(command);
    const one = new Uint8Array(new BigUint64Array([1n]).buffer);
    write(this.#thread.wakeFd, one, (error) => {
      // The thread looks for commands every second in any case; the descriptor is gone when it has just ended.
      if (error !== null && !this.#stopping) this.#options.log.warn({ err: error }, "cannot wake the responder thread");
    });
  }

  #receive(report: Extract<ResponderReport, { kind: "conflict" | "interfaceFailed" }>): void {
    if (report.kind === "conflict") {
      this.#options.changes.conflictObserved(report);
      return;
    }
    const { name: interfaceName, reason } = report;
    this.#options.log.error({ interfaceName, reason }, "cannot announce on the interface; trying again");
    this.#sent.forget(interfaceName);
  }
}
