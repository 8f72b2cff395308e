import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { preferredNodes } from "../../../../controller/owners/preferred-nodes.ts";

interface Case {
  readonly name: string;
  readonly preferred?: readonly string[];
  readonly departing?: readonly string[];
  readonly local?: readonly string[];
  readonly pinned?: string;
  /** Missing: all are equal. */
  readonly expected?: readonly string[];
}

const cases: readonly Case[] = [
  { name: "without any preference all are equal" },
  { name: "nodes of an advertisement come first", preferred: ["n1", "n2"], expected: ["n1", "n2"] },
  { name: "nodes with ready endpoints come first under Local", local: ["n2", "gone"], expected: ["n2", "gone"] },
  { name: "of these, preferred ones", local: ["n2", "n3"], preferred: ["n1", "n2"], expected: ["n2"] },
  { name: "endpoints count more than preferences", local: ["n3"], preferred: ["n1", "n2"], expected: ["n3"] },
  { name: "the pinned node comes first", pinned: "n3", expected: ["n3"] },
  { name: "it counts more than what an advertisement prefers", pinned: "n3", preferred: ["n1"], expected: ["n3"] },
  { name: "a pinned node that may not announce the address does not count", pinned: "n9" },
  {
    name: "a pinned node that departs does not count",
    pinned: "n3",
    departing: ["n3"],
    preferred: ["n1", "n2"],
    expected: ["n1", "n2"],
  },
  {
    name: "a pinned node without ready endpoints does not count under Local",
    pinned: "n3",
    local: ["n1"],
    expected: ["n1"],
  },
  { name: "it counts where no node has any", pinned: "n3", local: [], expected: ["n3"] },
];

describe("which nodes come first for an address", () => {
  for (const { name, preferred, departing = [], local, pinned, expected } of cases) {
    test(name, () => {
      const found = preferredNodes({
        nodes: ["n1", "n2", "n3"],
        preferred: preferred === undefined ? undefined : new Set(preferred),
        departing: new Set(departing),
        local: local === undefined ? undefined : new Set(local),
        pinned,
      });
      assert.deepEqual(found, expected === undefined ? undefined : new Set(expected));
    });
  }
});
