import { randomInt } from "node:crypto";
import { writeSync } from "node:fs";
import { maxUint48 } from "../../src/heartbeat/messages.ts";
import { endProcess } from "../../src/libc/libc.ts";
import { LinuxPacketSockets } from "../../src/packet-socket/linux-packet-sockets.ts";
import { linuxUdpSockets } from "../../src/udp-socket/linux-udp-sockets.ts";
import { Membership } from "../membership/membership.ts";
import { timingFor } from "../membership/timing.ts";
import { AliveCounter } from "../polling-thread/alive-counter.ts";
import { HangDetector } from "../polling-thread/hang-detector.ts";
import { runPollingThread, type ThreadWork } from "../polling-thread/run-polling-thread.ts";
import type { ResponderCommand, ResponderReport, ResponderStart } from "./commands.ts";
import { Counters } from "./counters.ts";
import { HeartbeatTransport } from "./heartbeat-transport.ts";
import { ResponderLoop } from "./loop.ts";
import { MainThreadWatchdog } from "./main-thread-watchdog.ts";

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
/** The thread looks at least every second; a look that comes later was late with the whole process, and not with the main thread. */
const longestLookMs = 1_500;
/** How many of the longest pauses between two packets to a peer an accepted packet may be old; see freshMs of SealedChannel. */
const freshPauses = 12;
/** EX_SOFTWARE of sysexits.h: an internal error. */
const hangExitCode = 70;

/** The responder thread: it blocks in poll(2) and nowhere else. */
function open(start: ResponderStart, report: (report: ResponderReport) => void): ThreadWork<ResponderCommand> {
  const now = () => performance.now();
  const packetSockets = new LinuxPacketSockets();
  const aliveCounter = new AliveCounter(start.aliveCount);
  const hangDetector = new HangDetector({
    count: () => aliveCounter.count(),
    now,
    limitMs: mainThreadHangMs,
    longestLookMs,
  });
  const counters = new Counters(start.counters);
  const timing = timingFor(start.heartbeatIntervalMs);
  const loop = new ResponderLoop({
    membership: new Membership({
      node: start.node,
      session: randomInt(1, maxUint48),
      incarnation: Math.floor(Date.now() / 1000),
      timing,
      nowMs: now(),
    }),
    transport: new HeartbeatTransport({
      node: start.node,
      port: start.heartbeatPort,
      session: randomInt(1, maxUint48),
      freshMs: freshPauses * timing.ringHeartbeatMs,
      udpSockets: linuxUdpSockets,
      counters,
      failed: (family, reason) => report({ kind: "heartbeatsFailed", family, reason }),
    }),
    onConflict: start.onConflict,
    packetSockets,
    now,
    random: Math.random,
    counters,
    watchdog: new MainThreadWatchdog(aliveCounter, now, mainThreadSilenceMs),
    report,
  });
  return {
    wakeFd: packetSockets.wakeFd,
    loop,
    afterTurn() {
      if (!hangDetector.hangs()) return;
      // The log belongs to the main thread, which no longer writes.
      writeSync(2, `bellhop speaker: the main thread was silent for ${mainThreadHangMs / 1000} s; ending\n`);
      endProcess(hangExitCode);
    },
    close: () => packetSockets.close(),
  };
}

runPollingThread(open);
