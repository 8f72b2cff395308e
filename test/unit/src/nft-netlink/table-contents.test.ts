import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contentsDifference, type TableContents } from "../../../../src/nft-netlink/table-contents.ts";

function contents(
  objects: number,
  rules: Readonly<Record<string, number>>,
  elements: Readonly<Record<string, number>>,
): TableContents {
  return { handle: 7n, objects, rules: new Map(Object.entries(rules)), elements: new Map(Object.entries(elements)) };
}

const expected = { ...contents(3, { restrict: 2, dnat: 1 }, { ports: 5 }), handle: 7n };

describe("contentsDifference", () => {
  for (const [name, found, difference] of [
    ["the same", contents(3, { restrict: 2, dnat: 1 }, { ports: 5 }), undefined],
    ["the same, on a kernel that does not count elements", contents(3, { restrict: 2, dnat: 1 }, {}), undefined],
    [
      "the same, with a set whose elements are not compared",
      contents(3, { restrict: 2, dnat: 1 }, { ports: 5, affinity: 7 }),
      undefined,
    ],
    [
      "a table that was made again with as much in it, as by a reload of a saved ruleset",
      { ...contents(3, { restrict: 2, dnat: 1 }, { ports: 5 }), handle: 8n },
      "the table was deleted and made again",
    ],
    ["a deleted table", undefined, "the table is gone"],
    ["a flushed chain", contents(3, { dnat: 1 }, { ports: 5 }), "chain restrict has 0 rules instead of 2"],
    ["an added rule", contents(3, { restrict: 2, dnat: 2 }, { ports: 5 }), "chain dnat has 2 rules instead of 1"],
    ["an added chain", contents(4, { restrict: 2, dnat: 1, other: 1 }, { ports: 5 }), "chain other was added"],
    ["a deleted element", contents(3, { restrict: 2, dnat: 1 }, { ports: 4 }), "set ports has 4 elements instead of 5"],
    ["a deleted set", contents(2, { restrict: 2, dnat: 1 }, {}), "the table has 2 chains and sets instead of 3"],
  ] as const) {
    test(`${name}: ${difference ?? "no difference"}`, () => {
      assert.equal(contentsDifference(expected, found), difference);
    });
  }
});
