import type { Condition } from "../../src/api/api.ts";

/**
 * The list with this condition in place of the one of its type. The time changes only with the status (metav1.Condition).
 * Undefined when nothing would change.
 */
export function withCondition(
  present: readonly Condition[],
  wanted: Omit<Condition, "lastTransitionTime">,
  now: string,
): readonly Condition[] | undefined {
  const before = present.find(({ type }) => type === wanted.type);
  const { status, reason, message } = wanted;
  if (before?.status === status && before.reason === reason && before.message === message) return undefined;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
  return [...present.filter(({ type }) => type !== wanted.type), { ...wanted, lastTransitionTime }];
}
