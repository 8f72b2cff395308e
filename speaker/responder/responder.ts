import type { Logger } from "pino";
import type { Clock } from "../../src/clock/clock.ts";
import type { BellhopError } from "../../src/error/error.ts";
import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";
import type { Fact } from "../membership/effects.ts";
import type { Hearing } from "../membership/hearing.ts";
import { AliveCounter } from "../polling-thread/alive-counter.ts";
import { PollingThread } from "../polling-thread/polling-thread.ts";
import type { FoundDevice } from "./address-probes.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";

export interface ObservedConflict {
  readonly interfaceName: string;
  readonly address: Uint8Array;
  readonly mac: Uint8Array;
}

/** Receives what the responder thread reports. */
export interface ResponderListener {
  /** Another device answers for an address that is announced here. */
  conflictObserved(conflict: ObservedConflict): void;
  /** What the membership has found out and decided, in that order. */
  factsObserved(facts: readonly Fact[]): void;
  /** Whether programs run on the node is to be found out; the command `programsAnswered` tells it, with the same `askedMs`. */
  programsQuestioned(node: string, askedMs: number): void;
  /** Other speakers are heard, or count as dead, than before. */
  hearingChanged(hearing: Hearing): void;
  /** Another device has the address, which is not announced for that reason; undefined: none has it any longer. */
  addressUseObserved(address: string, by: FoundDevice | undefined): void;
  /** Nothing is announced on the interface until it is set again. */
  interfaceFailed(interfaceName: string): void;
  /** The thread has ended without a `stop`, after it had started, or it hangs. Called once. */
  responderDied(error: BellhopError): void;
}

export interface ResponderOptions {
  /** Name of this node. */
  readonly node: string;
  /** The UDP port for heartbeats. */
  readonly heartbeatPort: number;
  /** Between two heartbeats to one peer. */
  readonly heartbeatIntervalMs: number;
  readonly onConflict: ConflictPolicy;
  readonly changes: ResponderListener;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The main thread's interface to the responder thread. */
export interface Responder {
  readonly counters: Counters;
  /** Whether the thread has started and not ended. */
  readonly alive: boolean;
  /** Starts the thread and resolves when it sleeps in poll. Rejects with BellhopError WorkerFailed. Call it once. */
  start(): Promise<void>;
  /** Sends the command; does nothing when the thread does not run. */
  send(command: ResponderCommand): void;
  /** Shows the thread that the main thread is alive; without this call for 30 s it stops answering. */
  signalAlive(): void;
  /** Ends the thread, which then no longer answers. Does not wait long for one that hangs. */
  stop(): Promise<void>;
}

/**
 * The thread waits for nothing but frames, at most a second. After this much silence the process ends, so that Kubernetes starts another one. Other
 * nodes have taken over long before.
 */
const hangMs = 60_000;

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
  readonly #thread: PollingThread<ResponderCommand, ResponderReport>;

  constructor(options: ResponderOptions) {
    const { changes, clock, log } = options;
    this.#options = options;
    this.#thread = new PollingThread({
      name: "responder",
      program: workerUrl(),
      received: (report) => this.#receive(report),
      ended: (error) => {
        if (!this.#thread.stopping) changes.responderDied(error);
      },
      hangMs,
      clock,
      log,
    });
  }

  get alive(): boolean {
    return this.#thread.alive;
  }

  start(): Promise<void> {
    const { node, heartbeatPort, heartbeatIntervalMs, onConflict } = this.#options;
    const data: ResponderStart = {
      node,
      heartbeatPort,
      heartbeatIntervalMs,
      onConflict,
      counters: this.counters.shared,
      aliveCount: this.#aliveCounter.shared,
    };
    return this.#thread.start(data);
  }

  send(command: ResponderCommand): void {
    this.#thread.send(command);
  }

  signalAlive(): void {
    this.#aliveCounter.increment();
  }

  stop(): Promise<void> {
    return this.#thread.stop({ kind: "stop" });
  }

  #receive(report: ResponderReport): void {
    const { changes, log } = this.#options;
    switch (report.kind) {
      case "conflict":
        changes.conflictObserved(report);
        break;
      case "facts":
        changes.factsObserved(report.facts);
        break;
      case "askPrograms":
        changes.programsQuestioned(report.node, report.askedMs);
        break;
      case "hearing":
        changes.hearingChanged(report.hearing);
        break;
      case "interfaceFailed":
        log.error(
          { interfaceName: report.name, reason: report.reason },
          "cannot announce on the interface; trying again",
        );
        changes.interfaceFailed(report.name);
        break;
      case "addressUsed":
        changes.addressUseObserved(report.address, report.by);
        break;
      case "heartbeatsFailed":
        log.error(
          { family: report.family, reason: report.reason },
          "cannot receive heartbeats of other speakers; trying again",
        );
    }
  }
}
