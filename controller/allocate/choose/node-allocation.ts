import { compareAddresses, type IpFamily, virtualIpName } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { NodeAddress } from "../allocations/node-addresses.ts";
import { type Claim, isClaimOf } from "../claim/claim.ts";
import type { RequestedAddress } from "../claim/request.ts";
import { serviceAnnotation } from "../claim/service-annotations.ts";
import { findSharingConflict, needsJoin } from "../claim/sharing.ts";
import type { Pool } from "../pool/pool.ts";
import type { Allocation, Assignment } from "./allocation.ts";
import type { AllocationContext } from "./evaluate-pool.ts";
import {
  currentNodeClaims,
  findAdmissionRefusal,
  findNodeAddressConflict,
  findRefusedPort,
  type NodeAddressConflict,
  nodeAddressesFor,
} from "./node-pool.ts";

/** The nodes' own addresses that the Service has and may keep, whatever happened to the pool. */
export function keptNodeAddresses(context: AllocationContext): readonly Assignment[] {
  return context.service.ipFamilies.flatMap((family) => keptOfFamily(context, family));
}

function keptOfFamily({ allocations, service }: AllocationContext, family: IpFamily): readonly Assignment[] {
  return currentNodeClaims(allocations, service, family)
    .filter(
      (claim) =>
        allocations.nodes.nodeAt(claim.address) !== undefined && findSharingConflict(claim, service) === undefined,
    )
    .map((claim) => assign(service, { node: claim.node ?? "", address: claim.address }, claim.pool, claim))
    .sort((left, right) => compareAddresses(left.address, right.address));
}

/**
 * Decides which addresses a Service has from a pool of nodes' own addresses. Changes nothing. A new Service gets those of every node, or
 * none where one of its ports is taken on any node. A Service that has some already keeps the nodes without such a conflict.
 */
export function allocateNodeAddresses(
  context: AllocationContext,
  pool: Pool,
  requested: ReadonlyMap<IpFamily, RequestedAddress>,
): Allocation {
  const { service } = context;
  const choices = service.ipFamilies.map((family) => chooseFamily(context, pool, family, requested.get(family)));
  const assignments = choices.flatMap((choice) => choice.assignments);
  const refusal = choices.find((choice) => choice.assignments.length === 0)?.reason;
  const reason = refusal ?? choices.find((choice) => choice.reason !== undefined)?.reason;
  if (refusal === undefined) return { assignments, reason, satisfied: reason === undefined };
  const refused = service.ipFamilies.filter((_, index) => choices[index]?.assignments.length === 0);
  const notRequested = refused.every((family) => !requested.has(family));
  const satisfied = service.ipFamilyPolicy === "PreferDualStack" && notRequested && assignments.length > 0;
  return {
    assignments: satisfied ? assignments : assignments.filter(({ claim }) => isClaimed(claim, context)),
    reason,
    satisfied,
  };
}

interface FamilyChoice {
  readonly assignments: readonly Assignment[];
  readonly reason?: Reason | undefined;
}

function chooseFamily(
  context: AllocationContext,
  pool: Pool,
  family: IpFamily,
  requested: RequestedAddress | undefined,
): FamilyChoice {
  const { allocations, service } = context;
  const current = currentNodeClaims(allocations, service, family);
  const kept = keptOfFamily(context, family);
  const about = (field: string, value: string, detail?: string) => ({
    object: serviceObject(service),
    field,
    value,
    detail,
  });
  const portReason = ({ code, value, detail }: NodeAddressConflict): Reason =>
    reasonOf(code, about("spec.ports", value, detail));
  const refusal = current.length > 0 ? undefined : findAdmissionRefusal(pool, service, context.namespaceLabels);
  if (refusal !== undefined) {
    const annotation = serviceAnnotation(service, "pool");
    const [field, value] = annotation === undefined ? ["spec.ipFamilies", family] : [annotation.field, annotation.text];
    return { assignments: [], reason: reasonOf(refusal.code, about(field, value, refusal.detail)) };
  }
  const refusedPort = findRefusedPort(pool, service);
  // A Service that had the port before it was refused keeps it. One that changes to it does not get it.
  if (refusedPort !== undefined)
    return { assignments: kept.filter((assignment) => !assignment.needsJoin), reason: portReason(refusedPort) };
  const all = nodeAddressesFor(allocations, pool, service, family);
  const eligible =
    requested === undefined ? all : all.filter(({ address }) => address.value === requested.address.value);
  // A draining pool assigns no further nodes.
  const nodeAddresses = pool.draining
    ? eligible.filter(({ address }) => current.some((claim) => isAt(claim, address)))
    : eligible;
  if (nodeAddresses.length === 0 && requested !== undefined) {
    const refused = about(
      requested.field,
      requested.text,
      `No node of pool ${pool.name} that can serve the Service has this address.`,
    );
    return { assignments: [], reason: reasonOf("RequestedAddressNotInPool", refused) };
  }
  if (nodeAddresses.length === 0) {
    // Without a ready pod no address is assigned, but none is taken away either.
    const keepsUntilReady = kept.length > 0 && allocations.nodes.of(pool, family).length > 0;
    const detail = describeNoNode(context, pool, family);
    return {
      assignments: kept,
      reason: keepsUntilReady ? undefined : reasonOf("NoNodeAddress", about("spec.ipFamilies", family, detail)),
    };
  }
  const conflicts = nodeAddresses.map((nodeAddress) => findNodeAddressConflict(allocations, service, nodeAddress));
  const conflict = conflicts.find((found) => found !== undefined);
  if (conflict !== undefined && current.length === 0) return { assignments: [], reason: portReason(conflict) };
  const free = nodeAddresses.filter((_, index) => conflicts[index] === undefined);
  const assignments = free.map((nodeAddress) =>
    assign(service, nodeAddress, pool.name, allocations.claimAt(nodeAddress.address)),
  );
  return { assignments, reason: conflict === undefined ? undefined : portReason(conflict) };
}

function isClaimed(claim: Claim | undefined, { service }: AllocationContext): boolean {
  return claim !== undefined && isClaimOf(claim, service);
}

function isAt(claim: Claim, address: NodeAddress["address"]): boolean {
  return claim.name === virtualIpName(address);
}

function assign(
  service: AllocationContext["service"],
  { node, address }: NodeAddress,
  pool: string | undefined,
  claim: Claim | undefined,
): Assignment {
  return { address, pool, node, claim, needsJoin: claim !== undefined && needsJoin(claim, service) };
}

function describeNoNode({ allocations }: AllocationContext, pool: Pool, family: IpFamily): string {
  if (allocations.nodes.of(pool, family).length > 0) {
    return `With externalTrafficPolicy Local, only nodes with a ready pod of the Service count, and pool ${pool.name} has none.`;
  }
  return `No node of pool ${pool.name} has an ${family} address.`;
}
