import type { IpAddress } from "../../../src/ip/address.ts";
import { decideIpMode } from "../../../src/model/ip-mode.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../allocations/address-allocations.ts";
import { currentPoolOf } from "../claim/claim.ts";
import type { Assignment } from "./allocation.ts";

/** An address as the status of its Service shows it. */
export interface ShownAddress {
  readonly address: IpAddress;
  readonly ipMode: string;
}

/** The addresses of a Service as its status shows them. */
export interface ShownAddresses {
  readonly shown: readonly ShownAddress[];
  /** Why an address does not have the requested ipMode, at most one. */
  readonly reasons: readonly Reason[];
}

/** Decides how the status shows addresses. Pure. */
export function showAddresses(
  allocations: Pick<AllocationsReader, "poolOf" | "nodes">,
  service: ServiceView,
  assignments: readonly Pick<Assignment, "address" | "node" | "claim">[],
): ShownAddresses {
  const decided = assignments.map((assignment) => {
    const { address, node, claim } = assignment;
    const pool = currentPoolOf(allocations, assignment);
    const forwarding = claim?.forwarding?.mode ?? pool?.forwarding;
    const isNodeAddress = (node ?? claim?.node) !== undefined;
    return { address, ...decideIpMode(service, { forwarding, ipMode: pool?.ipMode, isNodeAddress }) };
  });
  return {
    shown: decided.map(({ address, mode }) => ({ address, ipMode: mode })),
    reasons: decided.flatMap(({ reason }) => reason ?? []).slice(0, 1),
  };
}
