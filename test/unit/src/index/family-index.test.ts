import assert from "node:assert/strict";
import { test } from "node:test";
import { FamilyIndex } from "../../../../src/index/family-index.ts";

test("a family counts from its first key to its last one", () => {
  const index = new FamilyIndex();
  assert.deepEqual([...index.families], []);
  index.put("IPv6", "a", true);
  index.put("IPv6", "a", true);
  index.put("IPv6", "b", true);
  index.put("IPv4", "b", true);
  assert.deepEqual([...index.families], ["IPv4", "IPv6"]);
  index.put("IPv4", "b", false);
  index.put("IPv6", "a", false);
  assert.deepEqual([index.has("IPv4"), index.has("IPv6")], [false, true]);
  index.put("IPv6", "b", false);
  index.put("IPv6", "c", false);
  assert.deepEqual([...index.families], []);
});
