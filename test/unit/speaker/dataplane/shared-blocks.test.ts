import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockLayout } from "../../../../speaker/dataplane/endpoint-block.ts";
import { sharedChange } from "../../../../speaker/dataplane/shared-blocks.ts";

const set: BlockLayout = { family: "ip", set: "remote_endpoints", key: 2, data: 0 };
const map: BlockLayout = { family: "ip", set: "tcp_endpoints", key: 2, data: 1 };

for (const { words, layout, before, now, gone, come } of [
  { words: "the last owner leaves", layout: set, before: { x: "aabb" }, now: {}, gone: "aabb", come: "" },
  {
    words: "one of two has it still",
    layout: set,
    before: { x: "aabb", y: "aa" },
    now: { y: "aa" },
    gone: "bb",
    come: "",
  },
  {
    words: "another had it already",
    layout: set,
    before: { y: "aa" },
    now: { x: "aabb", y: "aa" },
    gone: "",
    come: "bb",
  },
  {
    words: "another has the same bytes in the middle of two elements",
    layout: set,
    before: { x: "bb", y: "abbc" },
    now: { y: "abbc" },
    gone: "bb",
    come: "",
  },
  {
    words: "a smaller name has other data",
    layout: map,
    before: { y: "aa1" },
    now: { x: "aa2", y: "aa1" },
    gone: "aa1",
    come: "aa2",
  },
  {
    words: "a larger name has other data",
    layout: map,
    before: { x: "aa1" },
    now: { x: "aa1", y: "aa2" },
    gone: "",
    come: "",
  },
  { words: "the order differs", layout: set, before: { x: "aabb" }, now: { x: "bbaa" }, gone: "", come: "" },
] as const) {
  test(`of endpoints that several owners have, what differs is written: ${words}`, () => {
    const [left, right] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
    assert.deepEqual(sharedChange(layout, new Set(["x", "y"]), left, right), { gone, come });
  });
}
