import type { Heartbeat } from "../../../../src/heartbeat/messages.ts";

/** A heartbeat of a node that is well. */
export const beat: Heartbeat = {
  kind: "heartbeat",
  session: 2,
  sequence: 1,
  incarnation: 1,
  intervalMs: 100,
  answer: false,
  wanted: true,
  joined: true,
  isolated: false,
  onlyAsFirst: false,
  ipv4: true,
  ipv6: true,
  phase: "running",
  holdMs: 0,
  peerSession: 0,
  heardMs: 0,
  deadIncarnation: 0,
  claimsVersion: 0,
  claimsHave: 0,
};
