import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcerOf, assumeAlive } from "../../../../src/placement/announcer.ts";

const owners = ["n1", "n2", "n3"];
const cases: readonly {
  readonly name: string;
  readonly owners: readonly string[];
  readonly alive: readonly string[];
  readonly announcer: string | undefined;
}[] = [
  { name: "the first owner while it is alive", owners, alive: ["n1", "n2", "n3"], announcer: "n1" },
  { name: "the next owner once the first is dead", owners, alive: ["n2", "n3"], announcer: "n2" },
  { name: "the last owner when it is the only one alive", owners, alive: ["n3"], announcer: "n3" },
  { name: "no node when all owners are dead", owners, alive: ["n4"], announcer: undefined },
  { name: "no node when there is no owner", owners: [], alive: ["n1"], announcer: undefined },
];

describe("who announces", () => {
  for (const { name, owners: list, alive, announcer } of cases) {
    test(name, () => {
      assert.equal(
        announcerOf(list, (node) => alive.includes(node)),
        announcer,
      );
    });
  }

  test("the first owner for a speaker that knows nothing of the others", () => {
    assert.equal(announcerOf(owners, assumeAlive), "n1");
    assert.equal(announcerOf([], assumeAlive), undefined);
  });
});
