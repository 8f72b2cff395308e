import assert from "node:assert/strict";
import { test } from "node:test";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";
import { rest, speaker } from "./candidate-input.ts";

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
