import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeLans } from "../../../../controller/owners/announcer-node.ts";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";
import { rest } from "./candidate-input.ts";

type Drops = Readonly<Record<string, readonly (readonly ["IPv4" | "IPv6", string])[]>>;
const closed = ["IPv4", "ForwardingDisabled"] as const;
const dropCases: readonly {
  readonly name: string;
  /** By node and interface, all of them on the LAN of the address. */
  readonly nodes: Readonly<Record<string, Drops>>;
  readonly interfaces?: readonly string[];
  readonly candidates: readonly string[];
  readonly reason?: RegExp;
}[] = [
  {
    name: "a node that does not forward",
    nodes: { n1: { eth0: [closed] }, n2: { eth0: [] } },
    candidates: ["n2"],
    reason: /does not forward IPv4 packets: net\.ipv4\.conf\.eth0\.forwarding is 0\. Set it to 1/,
  },
  {
    name: "a node that does not forward the other family",
    nodes: { n1: { eth0: [["IPv6", "ForwardingDisabled"]] }, n2: { eth0: [] } },
    candidates: ["n1", "n2"],
  },
  {
    name: "no node forwards",
    nodes: { n1: { eth0: [closed] }, n2: { eth0: [closed] } },
    candidates: ["n1", "n2"],
  },
  {
    name: "one of two interfaces",
    nodes: { n1: { eth0: [], eth1: [["IPv4", "ReversePathFilterStrict"]] }, n2: { eth0: [] } },
    candidates: ["n1", "n2"],
  },
  {
    name: "the one of two interfaces that an advertisement names",
    nodes: { n1: { eth0: [], eth1: [["IPv4", "ReversePathFilterStrict"]] }, n2: { eth0: [], eth1: [] } },
    interfaces: ["eth1"],
    candidates: ["n2"],
    reason: /reverse path filter is strict \(net\.ipv4\.conf\.eth1\.rp_filter\)/,
  },
];

describe("nodes that drop the requests may announce an address only if all do", () => {
  for (const { name, nodes: drops, interfaces, candidates, reason = /./ } of dropCases) {
    test(`${name}: ${candidates.join(", ")}`, () => {
      const names = Object.keys(drops);
      const input = {
        speakers: names.map((node) =>
          speakerSchema.parse({
            metadata: { name: node },
            status: {
              interfaces: Object.entries(drops[node] ?? {}).map(([one, list]) => ({
                name: one,
                mac: "02:00:00:00:00:01",
                up: true,
                addresses: ["192.0.2.1/24"],
                cannotServe: list.map(([family, code]) => ({ family, reason: code })),
              })),
            },
          }),
        ),
        nodes: new Map(names.map((node) => [node, projectNode({ metadata: { name: node } })])),
        live: new Set(names),
        advertisements:
          interfaces === undefined
            ? []
            : [l2AdvertisementSchema.parse({ metadata: { name: "a" }, spec: { interfaces } })],
        poolLabels: new Map(),
        ...rest,
      };
      const vip = { address: parseAddress("192.0.2.9") as IpAddress, pool: "lan", services: [] };
      assert.deepEqual(createCandidateLookup(input)(vip).nodes, candidates);
      for (const result of evaluateNodes(input, vip)) {
        assert.equal(result.eligible, candidates.includes(result.node));
        if (!result.eligible) assert.match(result.reason, reason);
      }
    });
  }

  test("a report of it counts as a change of the node", () => {
    const report = (cannotServe: readonly unknown[]) => {
      const own = { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: ["192.0.2.1/24"], cannotServe };
      return describeLans(speakerSchema.parse({ metadata: { name: "n1" }, status: { interfaces: [own] } }), new Set());
    };
    assert.notEqual(report([]), report([{ family: "IPv4", reason: "ForwardingDisabled" }]));
  });
});
