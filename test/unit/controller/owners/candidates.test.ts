import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Node } from "@kubernetes/client-node";
import { describeLans } from "../../../../controller/owners/announcer-node.ts";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";

function speaker(name: string, interfaces: Record<string, string[]>, up = true) {
  const list = Object.entries(interfaces).map(([key, addresses]) => ({
    name: key,
    mac: "02:00:00:00:00:01",
    up,
    addresses,
  }));
  return speakerSchema.parse({ metadata: { name }, status: { interfaces: list } });
}

const speakers = [
  speaker("n1", { eth0: ["192.0.2.1/24"], eth1: ["198.51.100.1/24"] }),
  speaker("n2", { eth0: ["192.0.2.2/24", "2001:db8::2/64"], "eth0.20": [] }),
  speaker("n3", { bond0: ["192.0.2.3/24"], "eth0.20": [], wan0: ["203.0.113.3/32"] }),
  speaker("down", { eth0: ["192.0.2.4/24"] }, false),
  speaker("dead", { eth0: ["192.0.2.5/24"] }),
  speaker("excluded", { eth0: ["192.0.2.6/24"] }),
];

const nodes = new Map(
  ["n1", "n2", "n3", "down", "dead", "excluded"].map((name) => {
    const labels: Record<string, string> = { rack: name === "n3" ? "b" : "a" };
    if (name === "excluded") labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "";
    return [name, projectNode({ metadata: { name, labels } })];
  }),
);

const rest = { refusedAdvertisements: [], serviceLabels: () => undefined };

const cases = [
  {
    name: "no advertisement: every node on the subnet",
    advertisements: [],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
  },
  { name: "IPv6 subnets count by themselves", advertisements: [], address: "2001:db8::9", nodes: ["n2"] },
  { name: "outside every subnet: no node", advertisements: [], address: "203.0.113.9", nodes: [] },
  {
    name: "by node labels",
    advertisements: [{ nodeSelectors: [{ matchLabels: { rack: "b" } }] }],
    address: "192.0.2.9",
    nodes: ["n3"],
  },
  {
    name: "by interface",
    advertisements: [{ interfaces: ["eth*"] }],
    address: "192.0.2.9",
    nodes: ["n1", "n2"],
    interfaces: { n1: ["eth*"], n2: ["eth*"] },
  },
  {
    name: "another pool only: no node",
    advertisements: [{ ipAddressPools: ["other"] }],
    address: "192.0.2.9",
    nodes: [],
  },
  {
    name: "by labels of the pool",
    advertisements: [{ ipAddressPoolSelectors: [{ matchLabels: { zone: "lan" } }] }],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
  },
  {
    name: "any one that allows it suffices; without interfaces it allows all",
    advertisements: [
      { ipAddressPools: ["other"] },
      { interfaces: ["bond0"] },
      { nodeSelectors: [{ matchLabels: { rack: "a" } }] },
    ],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
    interfaces: { n3: ["bond0"] },
  },
  {
    name: "each node has the interfaces of the advertisements that select it",
    advertisements: [
      { nodeSelectors: [{ matchLabels: { rack: "b" } }], interfaces: ["bond0"] },
      { nodeSelectors: [{ matchLabels: { rack: "a" } }], interfaces: ["eth0"] },
    ],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
    interfaces: { n1: ["eth0"], n2: ["eth0"], n3: ["bond0"] },
  },
  {
    name: "one without interfaces does not lift the restriction of a node that it does not select",
    advertisements: [
      { nodeSelectors: [{ matchLabels: { rack: "a" } }] },
      { nodeSelectors: [{ matchLabels: { rack: "b" } }], interfaces: ["bond0"] },
    ],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
    interfaces: { n3: ["bond0"] },
  },
  {
    name: "on one node the lists of several are joined",
    advertisements: [{ interfaces: ["eth1"] }, { interfaces: ["eth0", "bond*"] }],
    address: "192.0.2.9",
    nodes: ["n1", "n2", "n3"],
    interfaces: { n1: ["bond*", "eth0", "eth1"], n2: ["bond*", "eth0", "eth1"], n3: ["bond*", "eth0", "eth1"] },
  },
  {
    name: "a named interface without addresses, where no other is on the LAN",
    advertisements: [{ interfaces: ["eth0.20"] }],
    address: "203.0.113.9",
    nodes: ["n2", "n3"],
    interfaces: { n2: ["eth0.20"], n3: ["eth0.20"] },
  },
  {
    name: "a named interface with a single address",
    advertisements: [{ interfaces: ["wan0"] }],
    address: "203.0.113.9",
    nodes: ["n3"],
    interfaces: { n3: ["wan0"] },
  },
  {
    name: "a named interface that has a LAN of the other family alone",
    advertisements: [{ interfaces: ["bond0"] }],
    address: "2001:db8::9",
    nodes: ["n3"],
    interfaces: { n3: ["bond0"] },
  },
  {
    name: "a pattern names no interface that is on no LAN",
    advertisements: [{ interfaces: ["eth*", "*"] }],
    address: "203.0.113.9",
    nodes: [],
  },
  {
    name: "a named interface on another LAN is not one that is on no LAN",
    advertisements: [{ interfaces: ["eth0", "eth1"] }],
    address: "203.0.113.9",
    nodes: [],
  },
  {
    name: "a named interface without addresses counts where all interfaces on the LAN are excluded",
    advertisements: [{ interfaces: ["eth0.20"] }],
    address: "192.0.2.9",
    nodes: ["n2", "n3"],
    interfaces: { n2: ["eth0.20"], n3: ["eth0.20"] },
  },
  {
    name: "beside an advertisement without interfaces, a name counts on nodes that are not on the LAN",
    advertisements: [{}, { interfaces: ["eth0.20", "wan*"] }],
    address: "198.51.100.9",
    nodes: ["n1", "n2", "n3"],
    interfaces: { n2: ["*", "eth0.20"], n3: ["*", "eth0.20"] },
  },
];

for (const { name, advertisements, address, nodes: expected, interfaces = {} } of cases) {
  test(name, () => {
    const input = {
      speakers,
      nodes,
      live: new Set(["n1", "n2", "n3", "down", "excluded"]),
      advertisements: advertisements.map((spec, index) =>
        l2AdvertisementSchema.parse({ metadata: { name: `a${index}` }, spec }),
      ),
      poolLabels: new Map([["lan", { zone: "lan" }]]),
      ...rest,
    };
    const vip = parseAddress(address) as IpAddress;
    const found = createCandidateLookup(input)({ address: vip, pool: "lan", services: [] });
    assert.deepEqual([found.nodes, Object.fromEntries(found.interfaces)], [expected, interfaces]);
    const verdicts = evaluateNodes(input, { address: vip, pool: "lan", services: [] });
    assert.deepEqual(
      verdicts.filter(({ eligible }) => eligible).map(({ node }) => node),
      expected,
      "every node asked by itself says the same",
    );
    assert.deepEqual(
      verdicts.map(({ node }) => node),
      [...nodes.keys()].sort(),
    );
    for (const { eligible, reason, code } of verdicts) assert.ok(reason !== "" && (code === undefined) === eligible);
  });
}

test("why a node may not announce is explained", () => {
  const input = {
    speakers,
    nodes,
    live: new Set(["n1", "down", "excluded"]),
    advertisements: [],
    poolLabels: new Map(),
    ...rest,
  };
  const why = new Map(
    evaluateNodes(input, { address: parseAddress("192.0.2.9") as IpAddress, pool: "lan", services: [] }).map((one) => [
      one.node,
      one.reason,
    ]),
  );
  assert.match(why.get("n2") ?? "", /speaker is not running: Lease speaker-n2/);
  assert.match(why.get("excluded") ?? "", /exclude-from-external-load-balancers/);
  assert.match(why.get("down") ?? "", /no interface with a subnet is up/);
  assert.match(why.get("n1") ?? "", /eth0 192\.0\.2\.1\/24/);
});

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
