import { writeSync } from "node:fs";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { endProcess } from "../../src/libc/libc.ts";
import { LinuxPacketSockets } from "../../src/packet-socket/linux-packet-sockets.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";
import { ResponderLoop } from "./loop.ts";
import { AliveCounter, HangDetector, MainThreadWatchdog } from "./main-thread-watchdog.ts";

/**
 * A main thread that was silent for this long counts as dead. Longer than any stall seen in practice, and shorter than a node that
 * hangs should hold addresses that have moved to another node.
 */
const mainThreadSilenceMs = 30_000;

/**
 * After this much more silence the process ends, so that Kubernetes starts another one. The kubelet could notice a hung main thread too, but
 * only by HTTP, and on the node's network another process may have the port.
 */
const mainThreadHangMs = 60_000;
/** EX_SOFTWARE of sysexits.h: an internal error. */
const hangExitCode = 70;

/** The responder thread: it blocks in poll(2) and nowhere else, so the event loop of this thread never runs. */
function run(start: ResponderStart, report: (report: ResponderReport) => void): void {
  const now = () => performance.now();
  const packetSockets = new LinuxPacketSockets();
  const aliveCounter = new AliveCounter(start.aliveCount);
  const hangDetector = new HangDetector(aliveCounter, now, mainThreadHangMs);
  const loop = new ResponderLoop({
    packetSockets,
    now,
    random: Math.random,
    counters: new Counters(start.counters),
    watchdog: new MainThreadWatchdog(aliveCounter, now, mainThreadSilenceMs),
    report,
  });
  report({ kind: "ready", wakeFd: packetSockets.wakeFd });
  while (!loop.stopped) {
    loop.turn();
    if (hangDetector.hangs()) {
      // The log belongs to the main thread, which no longer writes.
      writeSync(2, `bellhop speaker: the main thread was silent for ${mainThreadHangMs / 1000} s; ending\n`);
      endProcess(hangExitCode);
    }
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
