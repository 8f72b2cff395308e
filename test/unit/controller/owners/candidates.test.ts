import assert from "node:assert/strict";
import { test } from "node:test";
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
  speaker("n2", { eth0: ["192.0.2.2/24", "2001:db8::2/64"] }),
  speaker("n3", { bond0: ["192.0.2.3/24"] }),
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
    interfaces: ["eth*"],
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
    interfaces: [],
  },
];

for (const { name, advertisements, address, nodes: expected, interfaces = [] } of cases) {
  test(name, () => {
    const input = {
      speakers,
      nodes,
      live: new Set(["n1", "n2", "n3", "down", "excluded"]),
      advertisements: advertisements.map((spec, index) =>
        l2AdvertisementSchema.parse({ metadata: { name: `a${index}` }, spec }),
      ),
      poolLabels: new Map([["lan", { zone: "lan" }]]),
    };
    const vip = parseAddress(address) as IpAddress;
    const found = createCandidateLookup(input)(vip, "lan");
    assert.deepEqual([found.nodes, found.interfaces], [expected, interfaces]);
    const verdicts = evaluateNodes(input, vip, "lan");
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
  };
  const why = new Map(
    evaluateNodes(input, parseAddress("192.0.2.9") as IpAddress, "lan").map((one) => [one.node, one.reason]),
  );
  assert.match(why.get("n2") ?? "", /speaker is not running: Lease speaker-n2/);
  assert.match(why.get("excluded") ?? "", /exclude-from-external-load-balancers/);
  assert.match(why.get("down") ?? "", /no interface with a subnet is up/);
  assert.match(why.get("n1") ?? "", /eth0 192\.0\.2\.1\/24/);
});
