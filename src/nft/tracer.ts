import type { FakeTable } from "./fake-nft.ts";
import { type Refusal, type TracedCopy, type TracedUpdate, traceChain, type Walk } from "./trace-chain.ts";
import type { TracedConnection, TracedPacket } from "./traced-packet.ts";
import type { NftHook } from "./transaction.ts";

/** Where a packet ended, and as what. */
export interface TraceOutcome {
  /** `sent`: a chain of netdev has sent the frame out of a device. */
  readonly end: "local" | "forwarded" | "dropped" | "refused" | "sent";
  /** How the sender learns of a refusal. */
  readonly refusal?: Refusal;
  /** The chain that dropped, refused or sent it. */
  readonly chain?: string;
  readonly device?: string;
  readonly packet: TracedPacket;
  readonly connection: TracedConnection;
  readonly masqueraded: boolean;
  readonly copies: readonly TracedCopy[];
  /** Elements that the packet has put into sets. The tables are not changed. */
  readonly updates: readonly TracedUpdate[];
  /** Elements that it has deleted. */
  readonly deletions: readonly TracedUpdate[];
}

export interface TraceOptions {
  /** Addresses of the node itself. */
  readonly local: readonly string[];
  readonly random?: () => number;
  /** The interface that leads to a destination; missing: no packet has one. */
  readonly oifname?: (destination: string) => string | undefined;
  /** No nat chain is asked unless it is new, which is the default. */
  readonly state?: "new" | "established" | "invalid";
}

/** Priorities of the kernel's own steps (linux/netfilter_ipv4.h). All nat chains run within the nat step of their hook. */
const trackingPriority = -200;
const natPriority = { prerouting: -100, output: -100, postrouting: 100 } as const;

function isNatHook(hook: NftHook): hook is keyof typeof natPriority {
  return Object.hasOwn(natPriority, hook);
}

/**
 * Walks a packet from the client through the rules of the given tables, which are of one IP family and of netdev, and says
 * where it ends. Knows no routes: a packet that is not for the node is forwarded.
 */
export function tracePacket(tables: readonly FakeTable[], packet: TracedPacket, options: TraceOptions): TraceOutcome {
  const walk = startWalk(packet, untrackedConnection(packet, options), options.random);
  runHook(tables, "ingress", walk);
  runHook(tables, "prerouting", walk);
  const local = options.local.includes(walk.packet.daddr);
  const oifname = local ? undefined : options.oifname?.(walk.packet.daddr);
  if (oifname !== undefined) walk.packet = { ...walk.packet, oifname };
  runHook(tables, local ? "input" : "forward", walk);
  if (!local) runHook(tables, "postrouting", walk);
  return finish(walk, local ? "local" : "forwarded");
}

/** Walks a packet of the node itself through the rules, until it leaves the node or comes back to it by the loopback interface. */
export function traceOutput(tables: readonly FakeTable[], packet: TracedPacket, options: TraceOptions): TraceOutcome {
  const walk = startWalk(packet, untrackedConnection(packet, options), options.random);
  runHook(tables, "output", walk);
  runHook(tables, "postrouting", walk);
  return finish(walk, options.local.includes(walk.packet.daddr) ? "local" : "forwarded");
}

/** Walks the answer to a packet that arrived, from its receiver back towards the client. */
export function traceReply(tables: readonly FakeTable[], request: TraceOutcome): TraceOutcome {
  const walk = startReply(request);
  runHook(tables, "postrouting", walk);
  return finish(walk, "forwarded");
}

/** Walks the answer to a packet of the node itself, once its addresses are restored, towards the socket that sent the packet. */
export function traceReplyToNode(tables: readonly FakeTable[], request: TraceOutcome): TraceOutcome {
  const walk = startReply(request);
  runHook(tables, "input", walk);
  return finish(walk, "local");
}

function untrackedConnection(packet: TracedPacket, { state = "new" }: TraceOptions): TracedConnection {
  return { original: packet, state, mark: 0, zone: 0, translated: false, direction: "original" };
}

function startReply({ connection }: TraceOutcome): Walk {
  const { original } = connection;
  const packet: TracedPacket = {
    ...original,
    saddr: original.daddr,
    sport: original.dport,
    daddr: original.saddr,
    dport: original.sport,
    mark: 0,
    syn: false,
  };
  return startWalk(packet, { ...connection, state: "established", direction: "reply" }, undefined);
}

function startWalk(packet: TracedPacket, connection: TracedConnection, random: (() => number) | undefined): Walk {
  return {
    packet,
    connection,
    masqueraded: false,
    tracked: true,
    stopped: undefined,
    copies: [],
    updates: [],
    deletions: [],
    random: random ?? (() => 0),
  };
}

function finish(walk: Walk, end: "local" | "forwarded"): TraceOutcome {
  const { packet, connection, masqueraded, copies, updates, deletions } = walk;
  return { end, ...walk.stopped, packet, connection, masqueraded, copies, updates, deletions };
}

interface Step {
  readonly priority: number;
  /** The order within the nat step. */
  readonly inner: number;
  readonly run: () => void;
}

function runHook(tables: readonly FakeTable[], hook: NftHook, walk: Walk): void {
  const steps: Step[] = [];
  let translated = walk.connection.state !== "new";
  for (const table of tables) {
    for (const [name, { base }] of table.chains) {
      if (base?.hook !== hook) continue;
      if (base.devices !== undefined && !base.devices.includes(walk.packet.iifname)) continue;
      const run = () => traceChain(table, name, walk);
      if (base.type !== "nat" || !isNatHook(hook)) {
        steps.push({ priority: base.priority, inner: 0, run });
      } else {
        // The first nat chain that decides is the last one asked, and only new connections are asked about.
        const once = () => {
          if (!translated && walk.tracked) translated = run() === "translated";
        };
        steps.push({ priority: natPriority[hook], inner: base.priority, run: once });
      }
    }
  }
  if (hook === "prerouting" || hook === "output")
    steps.push({ priority: trackingPriority, inner: 0, run: () => track(walk) });
  steps.sort((left, right) => left.priority - right.priority || left.inner - right.inner);
  for (const step of steps) if (walk.stopped === undefined) step.run();
}

/** Connection tracking sees the packet. */
function track(walk: Walk): void {
  const { connection, tracked, packet } = walk;
  walk.connection = { ...connection, original: packet, state: tracked ? connection.state : "untracked" };
}
