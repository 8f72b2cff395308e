import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesAnyGlob, matchesGlob } from "../../../../src/model/glob.ts";
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

const globCases = [
  { pattern: "eth*", name: "eth0", matches: true },
  { pattern: "eth?", name: "eth10", matches: false },
  { pattern: "eth0", name: "eth0.100", matches: false },
  { pattern: "eth0.*", name: "eth0x100", matches: false },
  { pattern: "*", name: "", matches: true },
];
for (const { pattern, name, matches } of globCases) {
  test(`glob ${pattern} on ${name}`, () => assert.equal(matchesGlob(pattern, name), matches));
}

test("no pattern at all lets every name through", () => {
  assert.equal(matchesAnyGlob([], "eth0"), true);
  assert.equal(matchesAnyGlob(["wlan*"], "eth0"), false);
});
