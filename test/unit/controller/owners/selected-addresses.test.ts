import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";
import { reasonOf } from "../../../../src/model/reason.ts";

const labels: Readonly<Record<string, Record<string, string>>> = {
  n1: { zone: "a", role: "edge" },
  n2: { zone: "a" },
  n3: { zone: "b", role: "edge" },
  n4: { zone: "b" },
};
const names = Object.keys(labels);
const services: Readonly<Record<string, Record<string, string>>> = {
  "default/web": { exposure: "l2" },
  "default/bgp": { exposure: "bgp" },
};
const matching = (own: Record<string, string>) => ({ matchLabels: own });
const prefer = (weight: number, own: Record<string, string>) => ({ weight, preference: matching(own) });
const l2 = [matching({ exposure: "l2" })];

const cases: readonly {
  readonly name: string;
  readonly advertisements: readonly Record<string, unknown>[];
  /** Names of the Services that have the address; none: web. */
  readonly of?: readonly string[];
  readonly refused?: true;
  readonly nodes: readonly string[];
  /** None: no node is preferred to another. */
  readonly preferred?: readonly string[];
}[] = [
  { name: "a Service with the label", advertisements: [{ serviceSelectors: l2 }], nodes: names },
  { name: "a Service without the label", advertisements: [{ serviceSelectors: l2 }], of: ["bgp"], nodes: [] },
  {
    name: "a shared address, one of whose Services has the label",
    advertisements: [{ serviceSelectors: l2 }],
    of: ["bgp", "web"],
    nodes: names,
  },
  { name: "an address that no Service has", advertisements: [{ serviceSelectors: l2 }], of: [], nodes: [] },
  { name: "a Service that is gone", advertisements: [{ serviceSelectors: l2 }], of: ["gone"], nodes: [] },
  {
    name: "an empty selector, which selects all",
    advertisements: [{ serviceSelectors: [{}] }],
    of: ["bgp"],
    nodes: names,
  },
  {
    name: "a Service without the label, and nodes of an advertisement for others",
    advertisements: [
      { serviceSelectors: l2, nodeSelectors: [matching({ zone: "a" })] },
      { nodeSelectors: [matching({ zone: "b" })] },
    ],
    of: ["bgp"],
    nodes: ["n3", "n4"],
  },
  {
    name: "the nodes that one advertisement prefers",
    advertisements: [{ preferredNodeSelectors: [prefer(1, { zone: "b" })] }],
    nodes: names,
    preferred: ["n3", "n4"],
  },
  {
    name: "weights of one advertisement are added",
    advertisements: [{ preferredNodeSelectors: [prefer(60, { zone: "a" }), prefer(50, { role: "edge" })] }],
    nodes: names,
    preferred: ["n1"],
  },
  {
    name: "weights of several advertisements are added",
    advertisements: [
      { preferredNodeSelectors: [prefer(70, { zone: "a" })] },
      { preferredNodeSelectors: [prefer(30, { role: "edge" }), prefer(80, { zone: "b" })] },
    ],
    nodes: names,
    preferred: ["n3"],
  },
  {
    name: "an advertisement prefers only nodes that it selects",
    advertisements: [
      { nodeSelectors: [matching({ zone: "a" })] },
      { nodeSelectors: [matching({ zone: "b" })], preferredNodeSelectors: [prefer(100, { role: "edge" })] },
    ],
    nodes: names,
    preferred: ["n3"],
  },
  {
    name: "an advertisement for other Services prefers nothing",
    advertisements: [{}, { serviceSelectors: l2, preferredNodeSelectors: [prefer(100, { role: "edge" })] }],
    of: ["bgp"],
    nodes: names,
  },
  {
    name: "nodes that are all preferred equally",
    advertisements: [{ preferredNodeSelectors: [{ weight: 100, preference: {} }] }],
    nodes: names,
  },
  {
    name: "a preference that no node meets",
    advertisements: [{ preferredNodeSelectors: [prefer(100, { zone: "c" })] }],
    nodes: names,
  },
  { name: "an advertisement that cannot be used allows nothing", advertisements: [], refused: true, nodes: [] },
  {
    name: "beside one that can be used",
    advertisements: [{ nodeSelectors: [matching({ zone: "a" })] }],
    refused: true,
    nodes: ["n1", "n2"],
  },
];

describe("what advertisements select by Services and prefer by nodes", () => {
  for (const { name, advertisements, of = ["web"], refused, nodes, preferred } of cases) {
    test(name, () => {
      const problem = { object: "L2Advertisement metallb-system/new of MetalLB", field: "spec.novel", value: "" };
      const input = {
        speakers: names.map((node) =>
          speakerSchema.parse({
            metadata: { name: node },
            status: { interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.1/24"] }] },
          }),
        ),
        nodes: new Map(
          names.map((node) => [node, projectNode({ metadata: { name: node, labels: { ...labels[node] } } })]),
        ),
        live: new Set(names),
        advertisements: advertisements.map((spec, index) =>
          l2AdvertisementSchema.parse({ metadata: { name: `a${index}` }, spec }),
        ),
        poolLabels: new Map(),
        refusedAdvertisements: refused ? [reasonOf("MetallbFieldUnknown", problem)] : [],
        serviceLabels: (key: string) => services[key],
      };
      const address = {
        address: parseAddress("192.0.2.9") as IpAddress,
        pool: "lan",
        services: of.map((service) => ({ namespace: "default", name: service })),
      };
      const lookup = createCandidateLookup(input);
      const found = lookup(address);
      assert.deepEqual(found.nodes, nodes);
      assert.deepEqual(found.preferred === undefined ? undefined : [...found.preferred], preferred);
      assert.equal(lookup(address), found, "answers are remembered");
      for (const result of evaluateNodes(input, address)) {
        assert.equal(result.eligible, nodes.includes(result.node));
        if (refused && !result.eligible) assert.match(result.reason, /sets spec\.novel, which Bellhop does not know/);
      }
    });
  }
});
