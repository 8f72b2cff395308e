import type { Phase } from "../../src/heartbeat/messages.ts";
import type { Health } from "./stake.ts";
import type { Timing } from "./timing.ts";

/** What this node is and does, as its heartbeats tell it. */
export interface OwnState {
  readonly node: string;
  /** Of this process; see Heartbeat. */
  readonly session: number;
  readonly timing: Timing;
  /** Monotonic; the same during a turn. */
  nowMs: number;
  incarnation: number;
  health: Health;
  phase: Phase;
  /** Takes over addresses; it does not only listen. */
  joined: boolean;
  isolated: boolean;
  /** Announces only addresses of which it is the first owner; see Heartbeat. */
  onlyAsFirst: boolean;
  /** When something was heard that ended an isolation; -Infinity: never. */
  reconnectedMs: number;
  /** The thread did not run for a while: nothing is answered or taken until its peers were heard. */
  paused: boolean;
  /** This turn began later than it was due: what has arrived meanwhile is read after `advance`. */
  isLate: boolean;
}

/** That of a process which has just started: it only listens. */
export function stateAtStart({
  node,
  session,
  incarnation,
  timing,
  nowMs,
}: Pick<OwnState, "node" | "session" | "incarnation" | "timing" | "nowMs">): OwnState {
  return {
    node,
    session,
    timing,
    nowMs,
    incarnation,
    health: { ipv4: true, ipv6: true },
    phase: "running",
    joined: false,
    isolated: false,
    onlyAsFirst: true,
    reconnectedMs: Number.NEGATIVE_INFINITY,
    paused: false,
    isLate: false,
  };
}
