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

export interface ResponderOptions {
  readonly log: Logger;
  readonly onConflict: (conflict: ObservedConflict) => void;
  /** Called once when the thread has ended without a `stop`. */
  readonly onDeath: (error: BellhopError) => void;
}

/** The main thread's interface to the responder thread. */
export interface Responder {
  readonly counters: Counters;
  readonly alive: boolean;
  /** What was last sent to the thread, without the interfaces that it reported as failed. */
  readonly state: ResponderState;
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

/** Starts the thread and resolves when it sleeps in poll. Rejects with BellhopError WorkerFailed. */
export async function startResponder(options: ResponderOptions): Promise<Responder> {
  const counters = new Counters();
  const aliveCounter = new AliveCounter();
  const channel = new MessageChannel();
  const workerData: ResponderStart = {
    commands: channel.port2,
    counters: counters.shared,
    aliveCount: aliveCounter.shared,
  };
  const worker = new Worker(workerUrl(), { workerData, transferList: [channel.port2], name: "responder" });
  const thread = new ResponderThread(worker, channel.port1, counters, aliveCounter, options);
  await thread.started;
  return thread;
}

class ResponderThread implements Responder {
  readonly counters: Counters;
  readonly started: Promise<void>;
  readonly #aliveCounter: AliveCounter;
  readonly #commands: MessagePort;
  readonly #options: ResponderOptions;
  readonly #exited: Promise<void>;
  readonly #sent = new SentState();
  #wakeFd: number | undefined;
  #stopping = false;

  constructor(
    worker: Worker,
    commands: MessagePort,
    counters: Counters,
    aliveCounter: AliveCounter,
    options: ResponderOptions,
  ) {
    this.counters = counters;
    this.#aliveCounter = aliveCounter;
    this.#commands = commands;
    this.#options = options;
    let cause: unknown;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.started = promise;
    worker.on("message", (report: ResponderReport) => {
      if (report.kind === "ready") {
        this.#wakeFd = report.wakeFd;
        resolve();
      } else if (report.kind === "failed") cause = new Error(report.reason);
      else this.#receive(report);
    });
    worker.on("error", (error) => {
      cause ??= error;
    });
    this.#exited = new Promise((exited) => {
      worker.on("exit", (code) => {
        const started = this.#wakeFd !== undefined;
        this.#wakeFd = undefined;
        this.#commands.close();
        exited();
        if (this.#stopping) return;
        const error = new BellhopError("WorkerFailed", `the responder thread ended with code ${code}`, { cause });
        if (started) options.onDeath(error);
        else reject(error);
      });
    });
  }

  get alive(): boolean {
    return this.#wakeFd !== undefined;
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
    await this.#exited;
  }

  #send(commands: readonly ResponderCommand[]): void {
    if (commands.length === 0 || this.#wakeFd === undefined) return;
    for (const command of commands) this.#commands.postMessage(command);
    const one = new Uint8Array(new BigUint64Array([1n]).buffer);
    write(this.#wakeFd, one, (error) => {
      // The thread looks for commands every second in any case; the descriptor is gone when it has just ended.
      if (error !== null && !this.#stopping) this.#options.log.warn({ err: error }, "cannot wake the responder thread");
    });
  }

  #receive(report: Extract<ResponderReport, { kind: "conflict" | "interfaceFailed" }>): void {
    if (report.kind === "conflict") {
      this.#options.onConflict(report);
      return;
    }
    const { name: interfaceName, reason } = report;
    this.#options.log.error({ interfaceName, reason }, "cannot announce on the interface; trying again");
    this.#sent.forget(interfaceName);
  }
}
