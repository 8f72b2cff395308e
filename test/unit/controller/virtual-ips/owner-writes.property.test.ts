import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type OwnerWrites,
  planOwnerWrites,
  planSpecAfterStatus,
} from "../../../../controller/virtual-ips/owner-writes.ts";
import { managedByController, managedByLabel } from "../../../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import {
  type OwnerAssignment,
  ownerAssignment,
  ownersOf,
  ownersTermOf,
  sameAssignment,
} from "../../../../src/placement/owner-assignment.ts";

const patterns = fc.constantFrom([], ["eth0"], ["eth*", "bond0"]);
const assignment: fc.Arbitrary<OwnerAssignment> = fc
  .tuple(fc.shuffledSubarray(["n1", "n2", "n3"]), fc.array(patterns, { minLength: 3, maxLength: 3 }))
  .map(([owners, lists]) => ownerAssignment(owners, new Map(owners.map((node, index) => [node, lists[index] ?? []]))));

const statusOwners = fc.uniqueArray(
  fc.record({ node: fc.constantFrom("n1", "n2", "n3"), interfaces: patterns.map((list) => [...list]) }),
  { selector: ({ node }) => node },
);

/** A reservation as users, this version and earlier ones may have left it. */
const reservation: fc.Arbitrary<VirtualIP> = fc
  .tuple(assignment, fc.option(statusOwners, { nil: undefined }))
  .map(([spec, owners]) =>
    virtualIpSchema.parse({
      metadata: { name: "192.0.2.7" },
      spec: { address: "192.0.2.7", services: [{ namespace: "default", name: "web" }], ...spec },
      status: owners === undefined ? {} : { owners },
    }),
  );

/** The object after each write, the last one first written by the API server. `keepsStatus`: whether its CRD has the field. */
function write(object: VirtualIP, desired: OwnerAssignment, specOnly: boolean, keepsStatus: boolean): VirtualIP[] {
  const steps: VirtualIP[] = [];
  const apply = ({ spec, status }: OwnerWrites): void => {
    const last = steps.at(-1) ?? object;
    const { ownerInterfaces, ...rest } = { ...last.spec, ...spec };
    const both = { ...rest, ...(ownerInterfaces == null ? {} : { ownerInterfaces }) };
    const kept = keepsStatus ? { ...last.status, ...status } : { ...last.status, owners: undefined };
    const generation = last.metadata.generation + (spec === undefined ? 0 : 1);
    steps.push(virtualIpSchema.parse({ metadata: { ...last.metadata, generation }, spec: both, status: kept }));
  };
  const writes = planOwnerWrites(object, desired, specOnly);
  if (writes?.spec !== undefined) apply({ spec: writes.spec });
  if (writes?.status === undefined) return steps;
  apply({ status: writes.status });
  const after = planSpecAfterStatus(steps.at(-1) ?? object, desired, specOnly);
  if (after !== undefined) apply({ spec: after });
  return steps;
}

describe("properties of what is written of owners", () => {
  test("a reservation ends with the desired owners, for speakers of each version, and nothing is left to write", () => {
    fc.assert(
      fc.property(reservation, assignment, fc.boolean(), (object, desired, specOnly) => {
        const last = write(object, desired, specOnly, true).at(-1) ?? object;
        assert.ok(sameAssignment(ownersOf(last), desired));
        assert.deepEqual(last.spec.owners, specOnly ? desired.owners : []);
        assert.equal(planOwnerWrites(last, desired, specOnly), undefined);
      }),
    );
  });

  test("between two writes it is announced by the former owner or by the desired one, never by none or a third", () => {
    fc.assert(
      fc.property(reservation, assignment, fc.boolean(), fc.boolean(), (object, desired, specOnly, keepsStatus) => {
        fc.pre(keepsStatus || object.status?.owners === undefined);
        const before = ownersOf(object).owners[0];
        for (const step of write(object, desired, specOnly, keepsStatus)) {
          assert.ok([before, desired.owners[0]].includes(ownersOf(step).owners[0]));
        }
      }),
    );
  });

  test("each write that changes the owners increases their term", () => {
    fc.assert(
      fc.property(reservation, assignment, fc.boolean(), (object, desired, specOnly) => {
        let before = object;
        for (const step of write(object, desired, specOnly, true)) {
          assert.ok(sameAssignment(ownersOf(step), ownersOf(before)) || ownersTermOf(step) > ownersTermOf(before));
          before = step;
        }
      }),
    );
  });

  test("what is desired already moves nothing, wherever it is", () => {
    fc.assert(
      fc.property(reservation, fc.boolean(), fc.boolean(), (object, specOnly, keepsStatus) => {
        fc.pre(keepsStatus || object.status?.owners === undefined);
        const desired = ownersOf(object);
        for (const step of write(object, desired, specOnly, keepsStatus)) {
          assert.ok(sameAssignment(ownersOf(step), desired));
        }
      }),
    );
  });

  test("an API server that does not keep the status has the owners in the spec", () => {
    fc.assert(
      fc.property(reservation, assignment, (object, desired) => {
        fc.pre(object.status?.owners === undefined);
        const last = write(object, desired, false, false).at(-1) ?? object;
        assert.ok(sameAssignment(last.spec, desired));
      }),
    );
  });

  test("the controller's own VirtualIPs have them in the spec alone", () => {
    fc.assert(
      fc.property(reservation, assignment, fc.boolean(), (object, desired, specOnly) => {
        const metadata = { ...object.metadata, labels: { [managedByLabel]: managedByController } };
        const ours = { ...object, metadata };
        const writes = planOwnerWrites(ours, desired, specOnly);
        assert.equal(writes?.status, undefined);
        assert.equal(writes?.spec === undefined, sameAssignment(ours.spec, desired));
      }),
    );
  });
});
