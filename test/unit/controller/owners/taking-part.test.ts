import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Node } from "@kubernetes/client-node";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";
import { rest, speaker } from "./candidate-input.ts";

const label = "node.kubernetes.io/exclude-from-external-load-balancers";
const lacksNetwork = { conditions: [{ type: "NetworkUnavailable", status: "True" }] };
const partCases: readonly {
  readonly name: string;
  readonly nodes: Readonly<Record<string, V1Node>>;
  readonly ignoreExcludeLabel?: true;
  readonly announcers: readonly string[];
  /** Those that come first; missing: all. */
  readonly first?: readonly string[];
  /** Nodes whose Speaker says that they are drained. */
  readonly drained?: readonly string[];
  /** Why the others may not, or come last. */
  readonly reason?: RegExp;
}[] = [
  {
    name: "a node that is labelled as excluded",
    nodes: { n1: {}, n2: { metadata: { labels: { [label]: "" } } } },
    announcers: ["n1"],
    reason: /label node\.kubernetes\.io\/exclude-from-external-load-balancers.*--ignore-exclude-label=true/,
  },
  {
    name: "a node that is labelled as excluded, with --ignore-exclude-label",
    nodes: { n1: { metadata: { labels: { [label]: "" } } } },
    ignoreExcludeLabel: true,
    announcers: ["n1"],
  },
  {
    name: "a node that is being deleted, with --ignore-exclude-label",
    nodes: { n1: {}, n2: { metadata: { labels: { [label]: "" }, deletionTimestamp: new Date(0) } } },
    ignoreExcludeLabel: true,
    announcers: ["n1", "n2"],
    first: ["n1"],
    reason: /others come first, because its Node is being deleted/,
  },
  {
    name: "a node that the autoscaler is about to remove",
    nodes: { n1: {}, n2: { spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } } },
    announcers: ["n1", "n2"],
    first: ["n1"],
    reason: /others come first, because an autoscaler is about to remove it/,
  },
  {
    name: "a node that is cordoned",
    nodes: { n1: {}, n2: { spec: { unschedulable: true } } },
    announcers: ["n1", "n2"],
    first: ["n1"],
    reason: /others come first, because it is cordoned/,
  },
  {
    name: "a node that is drained, beside one that is only cordoned",
    nodes: { n1: { spec: { unschedulable: true } }, n2: { spec: { unschedulable: true } } },
    drained: ["n2"],
    announcers: ["n1", "n2"],
    first: ["n1"],
    reason: /others come first, because it is drained/,
  },
  {
    name: "nodes that are all cordoned",
    nodes: { n1: { spec: { unschedulable: true } }, n2: { spec: { unschedulable: true } } },
    announcers: ["n1", "n2"],
  },
  {
    name: "a node whose network is unavailable",
    nodes: { n1: {}, n2: { status: lacksNetwork } },
    announcers: ["n1"],
    reason: /NetworkUnavailable is True/,
  },
  {
    name: "nodes that all say that their network is unavailable",
    nodes: { n1: { status: lacksNetwork }, n2: { status: lacksNetwork } },
    announcers: ["n1", "n2"],
  },
  {
    name: "a node whose network is unavailable, beside one that takes no part",
    nodes: { n1: { status: lacksNetwork }, n2: { metadata: { labels: { [label]: "" } } } },
    announcers: ["n1"],
    reason: /exclude-label/,
  },
  {
    name: "a node whose network is available",
    nodes: { n1: { status: { conditions: [{ type: "NetworkUnavailable", status: "False" }] } }, n2: {} },
    announcers: ["n1", "n2"],
  },
];

describe("which nodes take part", () => {
  for (const { name, nodes: raw, ignoreExcludeLabel, announcers, first, drained = [], reason = /./ } of partCases) {
    test(`${name}: ${announcers.join(", ")}`, () => {
      const views = Object.entries(raw).map(([node, { metadata, ...rest }]) =>
        projectNode({ metadata: { name: node, ...metadata }, ...rest }, ignoreExcludeLabel),
      );
      const input = {
        speakers: views.map((node) => {
          const own = speaker(node.name, { eth0: ["192.0.2.1/24"] });
          const annotations = drained.includes(node.name) ? { "bellhop.dev/drain": "true" } : {};
          return { ...own, metadata: { ...own.metadata, annotations } };
        }),
        nodes: new Map(views.map((node) => [node.name, node])),
        live: new Set(Object.keys(raw)),
        advertisements: [],
        poolLabels: new Map(),
        ...rest,
      };
      const vip = parseAddress("192.0.2.9") as IpAddress;
      const candidates = createCandidateLookup(input)({ address: vip, pool: "lan", services: [] });
      assert.deepEqual(candidates.nodes, announcers);
      assert.deepEqual(candidates.preferred, first === undefined ? undefined : new Set(first));
      for (const result of evaluateNodes(input, { address: vip, pool: "lan", services: [] })) {
        assert.equal(result.eligible, announcers.includes(result.node));
        assert.equal(result.departure !== undefined, result.eligible && !(first ?? announcers).includes(result.node));
        if (!result.eligible || result.departure !== undefined) assert.match(result.reason, reason);
      }
    });
  }
});
