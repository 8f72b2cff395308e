import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesLabels } from "../../../../src/model/label-selector.ts";

const labels = { app: "web", tier: "front" };
const selectorCases = [
  { selector: {}, matches: true },
  { selector: { matchLabels: { app: "web" } }, matches: true },
  { selector: { matchLabels: { app: "web", tier: "back" } }, matches: false },
  { selector: { matchExpressions: [{ key: "app", operator: "In", values: ["web", "api"] }] }, matches: true },
  { selector: { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }, matches: false },
  { selector: { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, matches: true },
  { selector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, matches: false },
  { selector: { matchExpressions: [{ key: "app", operator: "Exists" }] }, matches: true },
  { selector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, matches: false },
] as const;

for (const { selector, matches } of selectorCases) {
  test(`selector ${JSON.stringify(selector)}`, () => {
    assert.equal(matchesLabels(structuredClone(selector) as Parameters<typeof matchesLabels>[0], labels), matches);
  });
}
