import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { KernelWire } from "../../src/packet-socket/packet-wire.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";
import { ResponderLoop } from "./loop.ts";
import { AliveCounter, MainThreadWatchdog } from "./main-thread-watchdog.ts";

/**
 * A main thread that was silent for so long is taken for dead. Longer than any stall seen in practice, shorter than a node that
 * hangs should hold addresses that have moved on.
 */
const mainThreadSilenceMs = 30_000;

/** The responder thread: it sleeps in poll(2) and nowhere else, so the event loop of this thread never runs. */
function run(start: ResponderStart, report: (report: ResponderReport) => void): void {
  const now = () => performance.now();
  const wire = new KernelWire();
  const loop = new ResponderLoop({
    wire,
    now,
    random: Math.random,
    counters: new Counters(start.counters),
    watchdog: new MainThreadWatchdog(new AliveCounter(start.heartbeat), now, mainThreadSilenceMs),
    report,
  });
  report({ kind: "ready", wakeFd: wire.wakeFd });
  while (!loop.stopped) {
    loop.turn();
    for (;;) {
      const received: { readonly message: ResponderCommand } | undefined = receiveMessageOnPort(start.commands);
      if (received === undefined) break;
      loop.apply(received.message);
    }
  }
  wire.close();
  start.commands.close();
}

const port = parentPort;
if (port !== null) {
  const report = (message: ResponderReport) => port.postMessage(message);
  try {
    run(workerData as ResponderStart, report);
  } catch (error) {
    report({ kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    throw error;
  }
}
