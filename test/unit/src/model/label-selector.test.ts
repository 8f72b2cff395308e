import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesLabels } from "../../../../src/model/label-selector.ts";

const labels = { app: "web", tier: "front" };
const selectorCases: readonly { readonly selector: unknown; readonly matches: boolean }[] = [
  { selector: {}, matches: true },
  { selector: { matchLabels: { app: "web" } }, matches: true },
  { selector: { matchLabels: { app: "web", tier: "back" } }, matches: false },
  { selector: { matchExpressions: [{ key: "app", operator: "In", values: ["web", "api"] }] }, matches: true },
  { selector: { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }, matches: false },
  { selector: { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, matches: true },
  { selector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, matches: false },
  { selector: { matchExpressions: [{ key: "app", operator: "Exists" }] }, matches: true },
  { selector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, matches: false },
  ...["constructor", "toString", "__proto__", "hasOwnProperty"].flatMap((key) => [
    { selector: { matchExpressions: [{ key, operator: "Exists" }] }, matches: false },
    { selector: { matchExpressions: [{ key, operator: "DoesNotExist" }] }, matches: true },
    { selector: { matchExpressions: [{ key, operator: "In", values: ["x"] }] }, matches: false },
    { selector: { matchExpressions: [{ key, operator: "NotIn", values: ["x"] }] }, matches: true },
  ]),
];

for (const { selector, matches } of selectorCases) {
  test(`selector ${JSON.stringify(selector)}`, () => {
    assert.equal(matchesLabels(selector as Parameters<typeof matchesLabels>[0], labels), matches);
  });
}
