import type { Condition } from "../api/api.ts";
import { shorten } from "./bounded-text.ts";

/** In UTF-16 code units; the API server allows 32,768 characters. */
export const maxConditionMessage = 4_096;

/** A condition without its time. */
export type ConditionState = Omit<Condition, "lastTransitionTime">;

/** `withCondition` for each of these; the same list when nothing has changed. */
export function withConditions(
  present: readonly Condition[],
  states: readonly ConditionState[],
  now: string,
): readonly Condition[] {
  return states.reduce((list, state) => withCondition(list, state, now) ?? list, present);
}

/**
 * The list with this condition in place of the one of its type. The other conditions, those of other writers included, keep their content and
 * their place; a condition of a new type goes to the end. The time changes only when the status does (metav1.Condition). Returns
 * undefined when nothing would change, observedGeneration included. Cuts a message that is longer than `maxConditionMessage`.
 */
export function withCondition(
  present: readonly Condition[],
  { message, ...state }: ConditionState,
  now: string,
): readonly Condition[] | undefined {
  const desired: ConditionState = { ...state, message: shorten(message, maxConditionMessage) };
  const before = present.find((condition) => condition.type === desired.type);
  const same =
    before?.status === desired.status &&
    before.reason === desired.reason &&
    before.message === desired.message &&
    before.observedGeneration === desired.observedGeneration;
  if (before !== undefined && same) return undefined;
  const lastTransitionTime = before?.status === desired.status ? before.lastTransitionTime : now;
  const condition: Condition = { ...desired, lastTransitionTime };
  return before === undefined
    ? [...present, condition]
    : present.map((other) => (other.type === desired.type ? condition : other));
}
