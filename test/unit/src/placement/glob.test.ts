import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesAnyGlob, matchesGlob } from "../../../../src/placement/glob.ts";

const globCases = [
  { pattern: "eth*", name: "eth0", matches: true },
  { pattern: "eth?", name: "eth10", matches: false },
  { pattern: "eth0", name: "eth0.100", matches: false },
  { pattern: "eth0.*", name: "eth0x100", matches: false },
  { pattern: "*", name: "", matches: true },
  { pattern: "", name: "", matches: true },
  { pattern: "", name: "eth0", matches: false },
  { pattern: "*0", name: "eth00", matches: true },
  { pattern: "e*h?.*", name: "eth0.100", matches: true },
  { pattern: "e*h?.*", name: "eth0", matches: false },
  { pattern: "eth[0-9]", name: "eth0", matches: false },
  { pattern: "eth[0-9]", name: "eth[0-9]", matches: true },
  { pattern: "e.h0", name: "eth0", matches: false },
];
for (const { pattern, name, matches } of globCases) {
  test(`glob ${pattern} on ${name}`, () => assert.equal(matchesGlob(pattern, name), matches));
}

test("a pattern of many stars costs no more than its length times that of the name", () => {
  // With backtracking this takes longer than the universe has existed.
  assert.equal(matchesGlob(`${"*".repeat(200)}x`, "a".repeat(200)), false);
  assert.equal(matchesGlob(`${"a*".repeat(100)}x`, "a".repeat(200)), false);
});

test("a pattern matches what the same regular expression matches", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (glob, name) => {
      const source = glob.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
      assert.equal(matchesGlob(glob, name), new RegExp(`^${source}$`).test(name));
    }),
  );
});

test("no pattern at all lets every name through", () => {
  assert.equal(matchesAnyGlob([], "eth0"), true);
  assert.equal(matchesAnyGlob(["wlan*"], "eth0"), false);
});
