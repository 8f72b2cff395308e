import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { LinuxPacketSockets } from "../../src/packet-socket/linux-packet-sockets.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";
import { ResponderLoop } from "./loop.ts";
import { AliveCounter, MainThreadWatchdog } from "./main-thread-watchdog.ts";

/**
 * A main thread that was silent for this long counts as dead. Longer than any stall seen in practice, and shorter than a node that
 * hangs should hold addresses that have moved to another node.
 */
const mainThreadSilenceMs = 30_000;

/** The responder thread: it blocks in poll(2) and nowhere else, so the event loop of this thread never runs. */
function run(start: ResponderStart, report: (report: ResponderReport) => void): void {
  const now = () => performance.now();
  const packetSockets = new LinuxPacketSockets();
  const loop = new ResponderLoop({
    packetSockets,
    now,
    random: Math.random,
    counters: new Counters(start.counters),
    watchdog: new MainThreadWatchdog(new AliveCounter(start.aliveCount), now, mainThreadSilenceMs),
    report,
  });
  report({ kind: "ready", wakeFd: packetSockets.wakeFd });
  while (!loop.stopped) {
    loop.turn();
    for (;;) {
      const received: { readonly message: ResponderCommand } | undefined = receiveMessageOnPort(start.commands);
      if (received === undefined) break;
      loop.apply(received.message);
    }
  }
  packetSockets.close();
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
