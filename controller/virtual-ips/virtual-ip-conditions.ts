import type { Condition } from "../../src/api/api.ts";
import { isManaged, type VirtualIP } from "../../src/api/virtual-ip.ts";
import { withCondition } from "../../src/model/condition.ts";
import type { Forwarding } from "../../src/model/forwarding.ts";
import { type Reason, reasonMessage, reasonOf } from "../../src/model/reason.ts";
import type { OwnerAssignment } from "../../src/placement/owner-assignment.ts";
import type { PoolMembership } from "../allocate/allocations/pool-membership.ts";

/** One of the controller's conditions on a VirtualIP. Other conditions are written by speakers. */
export interface DesiredCondition {
  readonly type: string;
  /** Why the condition is False. Undefined: it is True. */
  readonly reason: Reason | undefined;
  /** Written instead when there is no reason any longer. */
  readonly whenTrue: { readonly reason: string; readonly message: string };
}

/**
 * The conditions that the controller writes on a VirtualIP. `assignment` undefined: it has no owners assigned. `invalid`: why it is not a
 * valid claim. `membership` undefined: no Service has the address.
 */
export function desiredConditions(
  { metadata, spec }: VirtualIP,
  assignment: OwnerAssignment | undefined,
  invalid: Reason | undefined,
  membership: PoolMembership | undefined,
): readonly DesiredCondition[] {
  const object = `VirtualIP ${metadata.name}`;
  const noAnnouncer =
    assignment?.owners.length === 0
      ? reasonOf("NoAnnouncer", { object, field: "spec.address", value: spec.address })
      : undefined;
  return [
    ...(assignment === undefined && invalid === undefined ? [] : [announceable(invalid ?? noAnnouncer)]),
    ...(membership === undefined ? [] : [inPool(membership.reason)]),
  ];
}

/** Whether some node may announce the address. */
function announceable(reason: Reason | undefined): DesiredCondition {
  return {
    type: "Announceable",
    reason,
    whenTrue: { reason: "HasOwners", message: "At least one node may announce the address." },
  };
}

/** Whether a pool contains the address. */
function inPool(reason: Reason | undefined): DesiredCondition {
  return { type: "InPool", reason, whenTrue: { reason: "InPool", message: "The address is in a pool." } };
}

/** The list with the desired conditions, which appear with their first reason and stay. Undefined: nothing to write. */
export function withDesiredConditions(
  present: readonly Condition[],
  desired: readonly DesiredCondition[],
  now: string,
): readonly Condition[] | undefined {
  let changed: readonly Condition[] | undefined;
  for (const { type, reason, whenTrue } of desired) {
    const list = changed ?? present;
    if (reason !== undefined) {
      const message = reasonMessage(reason);
      changed = withCondition(list, { type, status: "False", reason: reason.code, message }, now) ?? changed;
    } else if (list.some((condition) => condition.type === type)) {
      changed = withCondition(list, { type, status: "True", ...whenTrue }, now) ?? changed;
    }
  }
  return changed;
}

/**
 * The pool that a claim of ours must name because its address is in another one than it says: pools were renamed, split or merged.
 * Undefined: the present one is right.
 */
export function correctedPoolOf(object: VirtualIP, { pool }: PoolMembership): string | undefined {
  return isManaged(object) && pool !== undefined && pool !== object.spec.pool ? pool : undefined;
}

/** `null` removes the field by a merge patch. */
export interface ForwardingWrite {
  readonly forwarding: Forwarding | null;
}

/**
 * How the forwarding in a VirtualIP must be corrected because its pool says something else: in the spec of a claim of ours, in the status of a
 * reservation. Undefined: it is right, or no pool contains the address.
 */
export function correctedForwardingOf(
  object: VirtualIP,
  { pool, forwarding }: Pick<PoolMembership, "pool" | "forwarding">,
): ForwardingWrite | undefined {
  const present = isManaged(object) ? object.spec.forwarding : object.status?.forwarding;
  return pool === undefined || present === forwarding ? undefined : { forwarding: forwarding ?? null };
}

/** Whether the pool, the forwarding or the condition InPool of the object is out of date. */
export function poolMembershipDiffers(object: VirtualIP, membership: PoolMembership): boolean {
  const conditions = object.status?.conditions ?? [];
  return (
    correctedPoolOf(object, membership) !== undefined ||
    correctedForwardingOf(object, membership) !== undefined ||
    withDesiredConditions(conditions, [inPool(membership.reason)], "") !== undefined
  );
}
