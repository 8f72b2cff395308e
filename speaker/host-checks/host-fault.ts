import type { Reason } from "../../src/model/reason.ts";

/** Types of conditions on the Speaker about the host, in the order in which they are listed. Never renamed. */
export const hostConditionTypes = [
  "Forwarding",
  "ReversePathFilter",
  "StrictArp",
  "NodeAddress",
  "NodePorts",
  "ServiceProxy",
  "ForwardPolicy",
  "ConnectionTracking",
] as const;
export type HostConditionType = (typeof hostConditionTypes)[number];

/** A setting of the node that harms packets for the addresses of Services. */
export interface HostFault {
  readonly type: HostConditionType;
  /** `Unknown`: it may do no harm. */
  readonly status: "False" | "Unknown";
  readonly reason: Reason;
}
