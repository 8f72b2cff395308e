import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "../src/metrics/registry.ts";
import type { HostFault } from "./host-checks/host-fault.ts";
import type { PeerStates } from "./peers/peer-states.ts";
import { type CounterName, type Counters, rejectionReasons } from "./responder/counters.ts";

export interface SpeakerMetrics {
  readonly leaseRenewals: Counter<"result">;
  readonly eventToRules: Histogram;
  readonly resyncs: Counter;
  readonly takeovers: Counter<"cause">;
  readonly takeoverGap: Histogram;
}

/** The parts whose values are read at each scrape. */
export interface MetricSources {
  readonly announcer: { readonly addressCount: number; readonly conflictCount: number };
  readonly responder: { readonly counters: Counters };
  readonly checks: { readonly faults: readonly HostFault[] };
  readonly peers: Pick<PeerStates, "heardCount" | "lostCount" | "isolated">;
}

export function createSpeakerMetrics(registry: Registry): SpeakerMetrics {
  const registers = [registry];
  return {
    leaseRenewals: new Counter({
      name: "bellhop_speaker_lease_renewals_total",
      help: "Attempts to renew the speaker's lease. The result is renewed or failed.",
      labelNames: ["result"],
      registers,
    }),
    eventToRules: new Histogram({
      name: "bellhop_speaker_event_to_rules_seconds",
      help: "Time from the first event to the rules that reflect it.",
      buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    resyncs: new Counter({
      name: "bellhop_speaker_resyncs_total",
      help: "Times that the rules were replaced in case something else had changed them.",
      registers,
    }),
    takeovers: new Counter({
      name: "bellhop_speaker_takeovers_total",
      help: "Addresses that this node began to announce, by the cause in the status of the VirtualIP.",
      labelNames: ["cause"],
      registers,
    }),
    takeoverGap: new Histogram({
      name: "bellhop_speaker_takeover_gap_seconds",
      help: "For how long no node answered for an address before this one took it over, as far as this one knows.",
      buckets: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
  };
}

const responderMetrics = [
  [
    "bellhop_responder_requests_total",
    "Requests for announced addresses.",
    { arp: "arpRequests", ndp: "ndpSolicitations" },
  ],
  ["bellhop_responder_replies_total", "Replies that were sent.", { arp: "arpReplies", ndp: "ndpAdvertisements" }],
  [
    "bellhop_responder_gratuitous_total",
    "Frames sent without a request, at and after a takeover.",
    { arp: "gratuitousArp", ndp: "gratuitousNdp" },
  ],
] as const satisfies readonly (readonly [string, string, Readonly<Record<"arp" | "ndp", CounterName>>])[];

const plainResponderMetrics = [
  [
    "bellhop_responder_conflicting_frames_total",
    "Frames by which another device answers for an announced address.",
    "conflicts",
  ],
  ["bellhop_responder_probes_total", "Frames that ask whether another device has an address, or is there.", "probes"],
  ["bellhop_responder_receive_errors_total", "Failed reads of packet sockets.", "receiveErrors"],
  ["bellhop_responder_send_errors_total", "Frames that could not be sent.", "sendErrors"],
  ["bellhop_responder_silenced_total", "Requests without a reply because the main thread was gone.", "silencedFrames"],
] as const satisfies readonly (readonly [string, string, CounterName])[];

/** Registers what is read from the speaker's parts at each scrape. Call it once per registry. */
export function registerSpeakerGauges(registry: Registry, sources: MetricSources): void {
  const { announcer, responder, checks, peers } = sources;
  const registers = [registry];
  new Gauge({
    name: "bellhop_speaker_announced_addresses",
    help: "Addresses that this node announces.",
    registers,
    collect() {
      this.set(announcer.addressCount);
    },
  });
  new Gauge({
    name: "bellhop_speaker_conflicting_addresses",
    help: "Announced addresses that another device also answers for.",
    registers,
    collect() {
      this.set(announcer.conflictCount);
    },
  });
  new Gauge({
    name: "bellhop_speaker_host_faults",
    help: "Settings of the node that keep packets from Services, by the reason in the conditions of the Speaker.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const { reason } of checks.faults) this.inc({ reason: reason.code });
    },
  });
  exposeResponderCounters(registry, responder.counters);
  exposeDroppedFrames(registry, responder.counters);
  exposePeers(registry, peers);
  exposeHeartbeatCounters(registry, responder.counters);
}

function exposePeers(registry: Registry, peers: MetricSources["peers"]): void {
  const registers = [registry];
  new Gauge({
    name: "bellhop_speaker_peers",
    help: "Other speakers that this one hears (alive), and those that it counts as dead (lost).",
    labelNames: ["state"],
    registers,
    collect() {
      this.set({ state: "alive" }, peers.heardCount);
      this.set({ state: "lost" }, peers.lostCount);
    },
  });
  new Gauge({
    name: "bellhop_speaker_isolated",
    help: "1 while this node hears neither other speakers nor any other device, and announces nothing.",
    registers,
    collect() {
      this.set(peers.isolated ? 1 : 0);
    },
  });
}

function exposeHeartbeatCounters(registry: Registry, counters: Counters): void {
  const registers = [registry];
  new Counter({
    name: "bellhop_heartbeat_packets_total",
    help: "Packets between speakers: sent, not_sent because of the kernel or a missing key, or received and authentic.",
    labelNames: ["direction"],
    registers,
    collect() {
      this.reset();
      this.inc({ direction: "sent" }, counters.read("heartbeatsSent"));
      this.inc({ direction: "not_sent" }, counters.read("heartbeatsNotSent"));
      this.inc({ direction: "received" }, counters.read("heartbeatsReceived"));
    },
  });
  new Counter({
    name: "bellhop_heartbeat_rejected_total",
    help: "Packets at the port of heartbeats that were not accepted, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const reason of rejectionReasons) this.inc({ reason }, counters.read(`rejected.${reason}`));
    },
  });
}

const droppedFrames = {
  queue_full: "lostFrames",
  malformed: "malformedFrames",
  unrelated: "unrelatedFrames",
} as const satisfies Readonly<Record<string, CounterName>>;

function exposeDroppedFrames(registry: Registry, counters: Counters): void {
  new Counter({
    name: "bellhop_responder_dropped_frames_total",
    help: "ARP and NDP frames without an effect, by reason: queue_full (the thread was too slow), malformed, unrelated (about other addresses).",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, counter] of Object.entries(droppedFrames)) this.inc({ reason }, counters.read(counter));
    },
  });
}

/** Exposes the counters that the responder thread keeps in shared memory. */
function exposeResponderCounters(registry: Registry, counters: Counters): void {
  const registers = [registry];
  for (const [name, help, byProtocol] of responderMetrics) {
    new Counter({
      name,
      help,
      labelNames: ["protocol"],
      registers,
      collect() {
        this.reset();
        for (const protocol of ["arp", "ndp"] as const) this.inc({ protocol }, counters.read(byProtocol[protocol]));
      },
    });
  }
  for (const [name, help, counter] of plainResponderMetrics) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(counters.read(counter));
      },
    });
  }
}
