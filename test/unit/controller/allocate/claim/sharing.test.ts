import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withoutService, withService } from "../../../../../controller/allocate/claim/sharing.ts";
import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import { type ClaimData, claimOf, type ServiceData, serviceOf } from "../cases/allocation-case.ts";

const web = { namespace: "default", name: "web" };
const mine = { ...web, uid: "web-uid" };
const first = { namespace: "default", name: "first", uid: "first-uid" };
const last = { namespace: "default", name: "last", uid: "last-uid" };
const sharing = { key: "front", ports: ["80/TCP"], backends: "Cluster" };
const before = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
const shares = { annotations: { "bellhop.dev/share": "front" } };
const reassigned = { annotations: { "bellhop.dev/reassign": "2" } };

/** One row: `spec.services` of a VirtualIP, and what it becomes with the Service `default/web` in it. */
interface Case {
  readonly name: string;
  readonly claim: Omit<ClaimData, "address">;
  readonly service?: ServiceData;
  readonly becomes: readonly ServiceReference[];
}

const withCases: readonly Case[] = [
  { name: "it is added at the end", claim: { services: [first] }, becomes: [first, mine] },
  {
    name: "in its own place what is true of it now replaces what was",
    claim: { services: [first, { ...mine, sharing: before }, last] },
    service: shares,
    becomes: [first, { ...mine, sharing }, last],
  },
  {
    name: "a Service that stops sharing offers nothing",
    claim: { services: [{ ...mine, sharing }] },
    becomes: [mine],
  },
  {
    name: "on a node's own address its ports are recorded without a key",
    claim: { node: "n1" },
    becomes: [{ ...mine, sharing: { key: "", ports: ["80/TCP"], backends: "" } }],
  },
  {
    name: "an address that is assigned for a text of bellhop.dev/reassign says so",
    claim: {},
    service: reassigned,
    becomes: [{ ...mine, reassigned: "2" }],
  },
  {
    name: "one that it has already keeps the earlier text",
    claim: { services: [{ ...mine, reassigned: "1" }] },
    service: reassigned,
    becomes: [{ ...mine, reassigned: "1" }],
  },
  {
    name: "or none",
    claim: { services: [mine] },
    service: reassigned,
    becomes: [mine],
  },
  {
    name: "an address that was held for its name is assigned for the text that it has now",
    claim: { services: [web], held: true },
    service: reassigned,
    becomes: [{ ...mine, reassigned: "2" }],
  },
  {
    name: "a reservation stays one for any Service of the name",
    claim: { services: [web, first], reservation: true },
    service: { annotations: { ...shares.annotations, ...reassigned.annotations } },
    becomes: [{ ...web, sharing }, first],
  },
];

const withoutCases: readonly Case[] = [
  { name: "it is taken out", claim: { services: [first, mine, last] }, becomes: [first, last] },
  { name: "under whichever uid", claim: { services: [{ ...mine, uid: "earlier-uid" }] }, becomes: [] },
  {
    name: "a reservation keeps the user's reference, without what was noted there",
    claim: {
      services: [
        { ...web, sharing },
        { ...first, sharing: before },
      ],
      reservation: true,
    },
    becomes: [web, { ...first, sharing: before }],
  },
  {
    name: "a reservation in which nothing was noted stays as it is",
    claim: { services: [web, first], reservation: true },
    becomes: [web, first],
  },
];

describe("the Services of a VirtualIP with one more", () => {
  for (const { name, claim, service, becomes } of withCases) {
    test(name, () => {
      assert.deepEqual(withService(claimOf({ address: "192.0.2.10", ...claim }), serviceOf(service)), becomes);
    });
  }
});

describe("the Services of a VirtualIP without one", () => {
  for (const { name, claim, becomes } of withoutCases) {
    test(name, () => {
      assert.deepEqual(withoutService(claimOf({ address: "192.0.2.10", ...claim }), "default/web"), becomes);
    });
  }
});
