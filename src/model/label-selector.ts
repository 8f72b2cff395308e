import type { LabelSelector } from "../api/api.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether the labels satisfy metav1.LabelSelector; the empty selector is satisfied by all (apimachinery labels.Everything). */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labelOf(labels, key) === value);
  return exact && (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, labels));
}

/** Whether any of the selectors is satisfied; none: false. */
export function matchesAnySelector(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.some((selector) => matchesLabels(selector, labels));
}

function matchesExpression(
  { key, operator, values = [] }: NonNullable<LabelSelector["matchExpressions"]>[number],
  labels: Labels,
): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** Only own properties are labels: every object has `constructor` and others from its prototype. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
