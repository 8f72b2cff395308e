import type { Condition } from "../../src/api/api.ts";
import { type ConditionState, withConditions } from "../../src/model/condition.ts";
import { type HostConditionType, type HostFault, hostConditionTypes } from "./host-fault.ts";

/** What each condition says while there is no fault. */
const goodStates: Readonly<Record<HostConditionType, Pick<ConditionState, "reason" | "message">>> = {
  Forwarding: { reason: "Enabled", message: "The node forwards packets." },
  ReversePathFilter: { reason: "Passes", message: "The reverse path filter passes the packets of clients." },
  StrictArp: { reason: "Strict", message: "Only the speaker answers ARP requests for the addresses of Services." },
  NodeAddress: { reason: "Present", message: "The addresses of the Node are on its interfaces." },
  NodePorts: { reason: "Open", message: "No Service needs node ports that are known to be closed." },
  ServiceProxy: {
    reason: "TakesConnections",
    message: "No connections that are left to the service proxy are known to be dropped.",
  },
  ForwardPolicy: { reason: "Accept", message: "No chain of a firewall drops forwarded packets by its policy." },
  ConnectionTracking: { reason: "HasSpace", message: "The table of tracked connections has space." },
};

/** The conditions with those about the host as they are now. The same list when nothing has changed. */
export function hostConditions(
  present: readonly Condition[],
  faults: readonly HostFault[],
  now: string,
): readonly Condition[] {
  const states = hostConditionTypes.map((type) => stateOf(type, faults));
  return withConditions(present, states, now);
}

function stateOf(type: HostConditionType, faults: readonly HostFault[]): ConditionState {
  const own = faults.filter((fault) => fault.type === type);
  const [first] = own;
  if (first === undefined) return { type, status: "True", ...goodStates[type] };
  // One cure for all: it belongs to the code.
  const message = [...own.map(({ reason }) => reason.message), first.reason.cure].join(" ");
  return { type, status: first.status, reason: first.reason.code, message };
}
