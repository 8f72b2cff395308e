import type { Condition } from "../../src/api/api.ts";
import { managedByController, managedByLabel } from "../../src/api/labels.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { withCondition } from "../../src/model/condition.ts";
import { type Reason, reasonMessage } from "../../src/model/reason.ts";
import type { PoolMembership } from "../allocate/allocations/pool-membership.ts";

/** One of the controller's own conditions on a VirtualIP; the others are the speakers'. */
export interface DesiredCondition {
  readonly type: string;
  /** Undefined: all is well. */
  readonly reason: Reason | undefined;
  /** What is said once a fault is over. */
  readonly whenTrue: { readonly reason: string; readonly message: string };
}

/** Whether some node may announce the address. */
export function announceable(reason: Reason | undefined): DesiredCondition {
  return {
    type: "Announceable",
    reason,
    whenTrue: { reason: "HasOwners", message: "At least one node may announce the address." },
  };
}

/** Whether a pool has the address. */
export function inPool(reason: Reason | undefined): DesiredCondition {
  return { type: "InPool", reason, whenTrue: { reason: "InPool", message: "The address is in a pool." } };
}

/** The list with the desired in it; undefined: nothing to write, which is also so for a condition that never had a fault. */
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
 * The pool that a claim of ours must name from now on, because its address is in another one than it says: pools were renamed,
 * split or joined. Undefined where it stays as it is.
 */
export function correctedPoolOf({ metadata, spec }: VirtualIP, { pool }: PoolMembership): string | undefined {
  const ours = metadata.labels[managedByLabel] === managedByController;
  return ours && pool !== undefined && pool !== spec.pool ? pool : undefined;
}

/** Whether the object says otherwise about its pool than is so. */
export function poolMembershipDiffers(object: VirtualIP, membership: PoolMembership): boolean {
  const conditions = object.status?.conditions ?? [];
  return (
    correctedPoolOf(object, membership) !== undefined ||
    withDesiredConditions(conditions, [inPool(membership.reason)], "") !== undefined
  );
}
