import type { Logger } from "pino";
import type { BellhopError } from "../../src/error/error.ts";
import { PollingThread } from "../polling-thread/polling-thread.ts";
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
  readonly #thread: PollingThread<ResponderCommand, ResponderReport>;

  constructor(options: ResponderOptions) {
    const { changes, log } = options;
    this.#options = options;
    this.#thread = new PollingThread({
      name: "responder",
      program: workerUrl(),
      received: (report) => this.#receive(report),
      ended: (error) => {
        if (!this.#thread.stopping) changes.responderDied(error);
      },
      log,
    });
  }

  get alive(): boolean {
    return this.#thread.alive;
  }

  start(): Promise<void> {
    const data: ResponderStart = { counters: this.counters.shared, aliveCount: this.#aliveCounter.shared };
    return this.#thread.start(data);
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

  stop(): Promise<void> {
    return this.#thread.stop({ kind: "stop" });
  }

  #send(commands: readonly ResponderCommand[]): void {
    for (const command of commands) this.#thread.send(command);
  }

  #receive(report: ResponderReport): void {
    if (report.kind === "conflict") {
      this.#options.changes.conflictObserved(report);
      return;
    }
    const { name: interfaceName, reason } = report;
    this.#options.log.error({ interfaceName, reason }, "cannot announce on the interface; trying again");
    this.#sent.forget(interfaceName);
  }
}
