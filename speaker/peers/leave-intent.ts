import type { NodeView } from "../../src/model/node.ts";
import type { LeaveIntent } from "../membership/stake.ts";

/**
 * Why a speaker stops that receives SIGTERM. "leave": its node is being drained, removed or shut down, or is excluded from load balancers, so
 * that other nodes announce its addresses first. "restart": another speaker follows on the node, as in an update. Pure.
 */
export function leaveIntentOf(node: Pick<NodeView, "departure" | "excluded"> | undefined): LeaveIntent {
  return node !== undefined && (node.departure !== undefined || node.excluded) ? "leave" : "restart";
}
