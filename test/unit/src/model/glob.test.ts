import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesAnyGlob, matchesGlob } from "../../../../src/model/glob.ts";

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
