import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCandidateLookup } from "../../../../controller/owners/candidates.ts";
import { evaluateNodes } from "../../../../controller/owners/evaluate-nodes.ts";
import { speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";

interface Readiness {
  readonly families?: readonly string[];
  readonly refusedServices?: readonly string[];
  /** Undefined: that of the speaker. */
  readonly bootNonce?: string;
  readonly lan?: string;
}

const both = ["IPv4", "IPv6"];
const cases: readonly {
  readonly words: string;
  readonly nodes: Readonly<Record<string, Readiness | undefined>>;
  readonly address?: string;
  readonly candidates: readonly string[];
  readonly reason?: RegExp;
}[] = [
  { words: "speakers that do not say", nodes: { n1: undefined, n2: undefined }, candidates: ["n1", "n2"] },
  {
    words: "a node that cannot serve the family",
    nodes: { n1: { families: ["IPv6"] }, n2: {} },
    candidates: ["n2"],
    reason: /cannot serve IPv4 addresses/,
  },
  {
    words: "a node that cannot serve the other family",
    nodes: { n1: { families: ["IPv6"] }, n2: {} },
    address: "2001:db8::9",
    candidates: ["n1", "n2"],
  },
  {
    words: "nodes of which none can serve the family",
    nodes: { n1: { families: [] }, n2: { families: ["IPv6"] } },
    candidates: ["n1", "n2"],
  },
  {
    words: "a node that cannot, and one that can on another LAN",
    nodes: { n1: { families: [] }, n2: { lan: "198.51.100" } },
    candidates: ["n1"],
  },
  {
    words: "a node whose kernel refuses the rules of the Service",
    nodes: { n1: { refusedServices: ["default/web"] }, n2: { refusedServices: ["default/other"] } },
    candidates: ["n2"],
    reason: /refuses the rules of Service default\/web/,
  },
  {
    words: "nodes that all refuse the rules of the Service, and one that cannot write any",
    nodes: {
      n1: { refusedServices: ["default/web"] },
      n2: { refusedServices: ["default/web"] },
      n3: { families: [] },
    },
    candidates: ["n1", "n2"],
    reason: /cannot serve IPv4 addresses/,
  },
  {
    words: "what a speaker of a later start has taken over",
    nodes: { n1: { families: [], bootNonce: "former" }, n2: {} },
    candidates: ["n1", "n2"],
  },
];

describe("which nodes are preferred for an address", () => {
  for (const { words, nodes, address = "192.0.2.9", candidates, reason } of cases) {
    test(words, () => {
      const names = Object.keys(nodes);
      const speakers = Object.entries(nodes).map(([name, readiness], index) => {
        const { lan = "192.0.2", families = both, refusedServices = [], bootNonce = "b" } = readiness ?? {};
        const addresses = [`${lan}.${index + 1}/24`, `2001:db8::${index + 1}/64`];
        const interfaces = [{ name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses }];
        const said = readiness === undefined ? {} : { readiness: { bootNonce, families, refusedServices } };
        return speakerSchema.parse({ metadata: { name }, status: { bootNonce: "b", interfaces, ...said } });
      });
      const input = {
        speakers,
        nodes: new Map(names.map((name) => [name, projectNode({ metadata: { name } })])),
        live: new Set(names),
        advertisements: [],
        refusedAdvertisements: [],
        serviceLabels: () => undefined,
        poolLabels: new Map(),
      };
      const services = [{ namespace: "default", name: "web" }];
      const about = { address: parseAddress(address) as IpAddress, pool: "lan", services };
      const lookup = createCandidateLookup(input);
      assert.deepEqual(lookup(about).nodes, candidates);
      const results = evaluateNodes(input, about);
      assert.deepEqual(
        results.filter(({ eligible }) => eligible).map(({ node }) => node),
        candidates,
      );
      if (reason === undefined) assert.ok(!results.some(({ code }) => code === "CannotServe"));
      else assert.match(results.find(({ code }) => code === "CannotServe")?.reason ?? "", reason);
    });
  }
});
