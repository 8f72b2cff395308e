import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcerOfTerm, followedAnnouncer, ownersFrom } from "../../../../controller/virtual-ips/follow-announcer.ts";
import { managedByController, managedByLabel } from "../../../../src/api/labels.ts";
import { virtualIpSchema } from "../../../../src/api/virtual-ip.ts";

interface Case {
  readonly name: string;
  readonly status: Readonly<Record<string, unknown>> | undefined;
  readonly followed?: string;
  readonly announcer?: string;
}

const cases: readonly Case[] = [
  {
    name: "a waiting owner announces by this list",
    status: { node: "n2", observedGeneration: 7 },
    followed: "n2",
    announcer: "n2",
  },
  { name: "the first owner announces by this list", status: { node: "n1", observedGeneration: 7 }, announcer: "n1" },
  { name: "a waiting owner announces by an earlier list", status: { node: "n2", observedGeneration: 6 } },
  { name: "the first owner announces by an earlier list", status: { node: "n1", observedGeneration: 6 } },
  { name: "a node announces that is not an owner", status: { node: "n9", observedGeneration: 7 }, announcer: "n9" },
  { name: "no node announces", status: { observedGeneration: 7 } },
  { name: "a speaker of an earlier version announces", status: { node: "n2" } },
  { name: "nothing is reported", status: undefined },
];

describe("which announcer the owner list follows", () => {
  for (const { name, status, followed, announcer } of cases) {
    test(name, () => {
      const spec = { address: "192.0.2.7", owners: ["n1", "n2", "n3"] };
      const labels = { [managedByLabel]: managedByController };
      const managed = virtualIpSchema.parse({ metadata: { name: "192.0.2.7", generation: 7, labels }, spec, status });
      assert.equal(followedAnnouncer(managed), followed);
      assert.equal(announcerOfTerm(managed), announcer);
      // The owners of a reservation are in its status, and its term is counted there, too.
      const owners = spec.owners.map((node) => ({ node, interfaces: [] }));
      const reservation = virtualIpSchema.parse({
        metadata: { name: "192.0.2.7", generation: 3 },
        spec: { address: "192.0.2.7" },
        status: { ...status, owners, ownersRevision: 4 },
      });
      assert.equal(followedAnnouncer(reservation), followed);
      assert.equal(announcerOfTerm(reservation), announcer);
    });
  }

  test("the list begins with the announcer, and the others keep their order", () => {
    assert.deepEqual(ownersFrom("n3", ["n1", "n2", "n3"]), ["n3", "n1", "n2"]);
  });
});
