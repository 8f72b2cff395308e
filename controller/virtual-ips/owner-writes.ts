import { isManaged, type OwnerInterfaces, type VirtualIP } from "../../src/api/virtual-ip.ts";
import {
  interfacePatternsOf,
  type OwnerAssignment,
  ownerAssignment,
  sameAssignment,
} from "../../src/placement/owner-assignment.ts";

/** Fields of a VirtualIP for merge patches, to be sent in this order. */
export interface OwnerWrites {
  readonly spec?: Record<string, unknown> | undefined;
  readonly status?: { readonly owners: readonly OwnerInterfaces[]; readonly ownersRevision: number } | undefined;
}

const none = ownerAssignment([], new Map());

/**
 * What to write into a VirtualIP so that its owners are the desired ones. Pure. Undefined: nothing. Those of a reservation go into its
 * status. Its spec has them as well in two cases: `someReadSpecOnly`, and an API server whose CRD does not keep them in the status.
 * Otherwise they are removed from there, but only when the status has them, so that the address always has its announcer.
 */
export function planOwnerWrites(
  object: Pick<VirtualIP, "metadata" | "spec" | "status">,
  desired: OwnerAssignment,
  someReadSpecOnly: boolean,
): OwnerWrites | undefined {
  if (isManaged(object)) return sameAssignment(object.spec, desired) ? undefined : { spec: ownerFields(desired) };
  const inStatus = sameOwners(object.status?.owners, statusOwners(desired));
  const inSpecToo = someReadSpecOnly && desired.owners.length > 0;
  const expected = inSpecToo ? desired : none;
  const spec = sameAssignment(object.spec, expected) || !(inSpecToo || inStatus) ? undefined : ownerFields(expected);
  if (spec === undefined && inStatus) return undefined;
  const ownersRevision = (object.status?.ownersRevision ?? 0) + 1;
  return { spec, status: inStatus ? undefined : { owners: statusOwners(desired), ownersRevision } };
}

/** What to write into the spec of a reservation after its status was written. `written`: the object as the API server returned it. */
export function planSpecAfterStatus(
  written: Pick<VirtualIP, "metadata" | "spec" | "status">,
  desired: OwnerAssignment,
  someReadSpecOnly: boolean,
): Record<string, unknown> | undefined {
  const writes = planOwnerWrites(written, desired, someReadSpecOnly);
  // A CRD of an earlier version has dropped the field.
  if (writes?.status !== undefined) return sameAssignment(written.spec, desired) ? undefined : ownerFields(desired);
  return writes?.spec;
}

/** The fields of VirtualIP.spec, for a merge patch. */
export function ownerFields({ owners, interfaces, ownerInterfaces = [] }: OwnerAssignment): Record<string, unknown> {
  return { owners, interfaces, ownerInterfaces: ownerInterfaces.length === 0 ? null : ownerInterfaces };
}

function statusOwners(assignment: OwnerAssignment): readonly OwnerInterfaces[] {
  return assignment.owners.map((node) => ({ node, interfaces: [...interfacePatternsOf(assignment, node)] }));
}

function sameOwners(left: readonly OwnerInterfaces[] | undefined, right: readonly OwnerInterfaces[]): boolean {
  return left !== undefined && JSON.stringify(left) === JSON.stringify(right);
}
