import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeMoveCause, updateMessage } from "../../../../controller/services/update-event.ts";
import type { ServiceReference } from "../../../../src/api/virtual-ip.ts";
import {
  address,
  allocationsOf,
  type ClaimData,
  type ClusterData,
  claimOf,
  type ServiceData,
  serviceOf,
} from "../allocate/cases/allocation-case.ts";

describe("the event for changed addresses", () => {
  const cases: readonly {
    readonly shows: readonly string[];
    readonly after: readonly string[];
    readonly text?: string;
  }[] = [
    { shows: [], after: ["192.0.2.10"] },
    { shows: ["192.0.2.10"], after: ["192.0.2.10"] },
    { shows: ["192.0.2.10"], after: ["192.0.2.11"], text: "Updated load balancer [192.0.2.10] -> [192.0.2.11]" },
    { shows: ["192.0.2.10"], after: [], text: "Updated load balancer [192.0.2.10] -> []" },
    {
      shows: ["192.0.2.10", "2001:db8::10"],
      after: ["2001:db8::10", "192.0.2.10"],
      text: "Updated load balancer [192.0.2.10, 2001:db8::10] -> [2001:db8::10, 192.0.2.10]",
    },
  ];
  for (const { shows, after, text } of cases) {
    test(`from [${shows.join(", ")}] to [${after.join(", ")}]: ${text === undefined ? "none" : "one"}`, () => {
      const addresses = after.map((one) => ({ address: address(one) }));
      assert.equal(updateMessage(serviceOf({ shows }), addresses), text);
    });
  }
});

const sharer = (name: string, port: string): ServiceReference => ({
  namespace: "default",
  name,
  uid: `${name}-uid`,
  sharing: { key: "front", ports: [port], backends: "Cluster" },
});

/** One row: the address that the Service leaves, and the names in the text; none: the Service itself shows why. */
interface Case extends ClusterData {
  readonly name: string;
  readonly service?: ServiceData;
  readonly released: ClaimData;
  readonly names: readonly string[];
}

const inPool = { annotations: { "bellhop.dev/pool": "web" } };
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };

const cases: readonly Case[] = [
  { name: "a new request", service: { loadBalancerIP: "192.0.2.11" }, released: mine, names: [] },
  {
    name: "a port that another Service on the address uses",
    service: { annotations: { "bellhop.dev/share": "front" } },
    released: { ...mine, services: [sharer("web", "81/TCP"), sharer("first", "80/TCP")] },
    names: ["default/first", "80/TCP", "192.0.2.10"],
  },
  {
    name: "another pool than the named one has the address",
    service: inPool,
    released: mine,
    names: ["192.0.2.10", "lan", "web", "bellhop.dev/pool"],
  },
  {
    name: "no pool has the address, and it came from the named one",
    pools: [],
    service: inPool,
    released: { ...mine, pool: "web" },
    names: [],
  },
  {
    name: "the named pool has the address",
    pools: [{ name: "web", addresses: ["192.0.2.10"] }],
    service: inPool,
    released: mine,
    names: [],
  },
];

describe("why an address was released", () => {
  for (const { name, service, released, names, ...data } of cases) {
    test(name, () => {
      const text = describeMoveCause(allocationsOf({ ...data, claims: [released] }), serviceOf(service), [
        claimOf(released),
      ]);
      assert.equal(text === "", names.length === 0, text);
      for (const one of names) assert.ok(text.includes(one), `${text} names ${one}`);
    });
  }

  test("of two addresses at once, each cause is named once", () => {
    const used = (text: string) => `02:00:00:00:00:99 on the LAN of eth0 has ${text} already.`;
    const released = ["192.0.2.10", "2001:db8::10", "192.0.2.10"].map((text) =>
      claimOf({ ...mine, address: text, conflict: used(text), usedBefore: true }),
    );
    assert.equal(
      describeMoveCause(allocationsOf({}), serviceOf({}), released),
      ". 02:00:00:00:00:99 on the LAN of eth0 has 192.0.2.10 already. 02:00:00:00:00:99 on the LAN of eth0 has 2001:db8::10 already.",
    );
  });
});
