import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { linksFor } from "../../../../speaker/links/link.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { type Speaker, speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { isOnLan } from "../../../../src/ip/lan.ts";
import { subnetOf } from "../../../../src/ip/range.ts";
import { projectNode } from "../../../../src/model/node.ts";

const address = parseAddress("192.0.2.200") as IpAddress;

describe("whether an interface is on an address's LAN", () => {
  for (const { name, own, on } of [
    { name: "a network that holds it", own: ["192.0.2.11/24"], on: true },
    { name: "the other end of a cable of two", own: ["192.0.2.201/31"], on: true },
    { name: "another network", own: ["198.51.100.11/24"], on: false },
    { name: "the address itself, as a network of one", own: ["192.0.2.200/32"], on: false },
    { name: "the same beside a network that holds it", own: ["192.0.2.200/32", "192.0.2.11/24"], on: true },
    { name: "a network of the other family", own: ["2001:db8::1/64"], on: false },
    { name: "no network", own: [], on: false },
  ]) {
    test(`${name}: ${on}`, () => {
      const subnets = own.flatMap((text) => subnetOf(text) ?? []);
      assert.equal(isOnLan(subnets, address), on);
    });
  }
});

/** One node whose speaker reports these interfaces, as the controller and as the node itself see it. */
function nodeWith(
  interfaces: readonly { readonly up: boolean; readonly addresses: readonly string[] }[],
  lists: readonly (readonly string[])[] = [],
) {
  const list = interfaces.map((entry, index) => ({ ...entry, name: `eth${index}`, mac: "02:00:00:00:00:01" }));
  const speaker: Speaker = speakerSchema.parse({ metadata: { name: "n1" }, status: { interfaces: list } });
  const candidates = createCandidateLookup({
    speakers: [speaker],
    nodes: new Map([["n1", projectNode({ metadata: { name: "n1" } })]]),
    live: new Set(["n1"]),
    advertisements: lists.map((list, index) =>
      l2AdvertisementSchema.parse({ metadata: { name: `a${index}` }, spec: { interfaces: list } }),
    ),
    poolLabels: new Map(),
    refusedAdvertisements: [],
    serviceLabels: () => undefined,
  });
  const links = list.map((entry, index) => ({
    ...entry,
    index: index + 1,
    subnets: entry.addresses.flatMap((text) => subnetOf(text) ?? []),
  }));
  return {
    isCandidate: (wanted: IpAddress): boolean =>
      candidates({ address: wanted, pool: undefined, services: [] }).nodes.length > 0,
    announces: (wanted: IpAddress): boolean => {
      const patterns = candidates({ address: wanted, pool: undefined, services: [] }).interfaces.get("n1") ?? [];
      return linksFor(links, wanted, patterns).length > 0;
    },
  };
}

test("a node that has the address itself as a network of one is not made its owner, since its speaker would not announce it", () => {
  const node = nodeWith([{ up: true, addresses: ["192.0.2.200/32"] }]);
  assert.deepEqual([node.isCandidate(address), node.announces(address)], [false, false]);
});

test("the controller counts a node as candidate exactly when its speaker would announce the address", () => {
  const own = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(26, 31, 32))
    .map(([host, length]) => `192.0.2.${host}/${length}`);
  const interfaces = fc.array(fc.record({ up: fc.boolean(), addresses: fc.array(own, { maxLength: 3 }) }), {
    maxLength: 3,
  });
  const lists = fc.array(fc.subarray(["eth0", "eth1", "eth?", "*"]), { maxLength: 2 });
  fc.assert(
    fc.property(interfaces, fc.integer({ min: 0, max: 5 }), lists, (found, host, patterns) => {
      const node = nodeWith(found, patterns);
      const wanted = parseAddress(`192.0.2.${host}`) as IpAddress;
      // Where no advertisement selects the node for the address, the speaker is not told to announce.
      if (node.isCandidate(wanted) || patterns.length === 0)
        assert.equal(node.announces(wanted), node.isCandidate(wanted));
    }),
  );
});
