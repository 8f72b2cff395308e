import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFlows, staleFlows } from "../../../../speaker/dataplane/flow.ts";
import { usableEndpoints } from "../../../../speaker/dataplane/usable-endpoints.ts";
import { formatAddress } from "../../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import { endpoint, FakeNode, port, service, slice } from "./fake-node.ts";
import { type Step, someSlice, someStep } from "./generated-services.ts";

/** What is in the sets of our tables. Sets that no element was ever in count as empty. */
function elementsOf(fakeNode: FakeNode): unknown {
  const lines: string[] = [];
  for (const table of fakeNode.nft.tables.values()) {
    for (const [name, set] of table.sets) {
      // The set of interfaces is there as long as the table is.
      if (name !== "lan_interfaces")
        for (const [key, value] of set.elements) lines.push(`${table.family} ${name} ${key} ${value}`);
    }
  }
  return lines.sort();
}

test("whatever happens in whatever order, failures included, the rules end up as if written once from nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { maxLength: 8 }), async (steps) => {
      const fakeNode = new FakeNode();
      const last = new Map<string, Step>();
      for (const step of steps) {
        last.set(step.view.key, step);
        fakeNode.nft.broken = step.fails ? "no memory" : undefined;
        await fakeNode
          .put(step.view, step.slices, step.addresses)
          .catch((error: Error) => assert.equal(error.message, "no memory"));
      }
      fakeNode.nft.broken = undefined;
      await fakeNode.put(service({ key: "default/none" }), [], []);
      const fresh = new FakeNode();
      for (const { view, slices, addresses } of last.values()) await fresh.put(view, slices, addresses);
      assert.deepEqual(elementsOf(fakeNode), elementsOf(fresh));
      fakeNode.dataplane.invalidate();
      await fakeNode.put(service({ key: "default/none" }), [], []);
      assert.deepEqual(elementsOf(fakeNode), elementsOf(fresh), "a whole write equals the deltas");
    }),
    { numRuns: 300 },
  );
});

const query = { family: "IPv4", port: port(), nodeName: "n1", localOnly: false } as const;
const cases: readonly {
  readonly name: string;
  readonly slices: readonly EndpointSliceView[];
  readonly localOnly?: true;
  readonly expected: readonly string[];
}[] = [
  {
    name: "ready ones, and nothing else while there is one",
    slices: [slice([endpoint("10.0.0.1"), endpoint("10.0.0.2", "n1", { ready: false, terminating: true })])],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "without a ready one those that terminate and still serve",
    slices: [
      slice([
        endpoint("10.0.0.1", "n1", { ready: false, terminating: true }),
        endpoint("10.0.0.2", "n1", { ready: false, terminating: true, serving: false }),
        endpoint("10.0.0.3", "n1", { ready: false }),
      ]),
    ],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "a draining one of this node under Local, though another node has a ready one",
    slices: [slice([endpoint("10.0.0.1", "n1", { ready: false, terminating: true }), endpoint("10.0.0.2", "n2")])],
    localOnly: true,
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "the same address in two slices counts once, the one that does not terminate",
    slices: [
      slice([endpoint("10.0.0.1")]),
      slice([endpoint("10.0.0.1", "n2", { ready: false, terminating: true })], { key: "default/web-2" }),
    ],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "slices may have different numbers for one port",
    slices: [
      slice([endpoint("10.0.0.1")]),
      slice([endpoint("10.0.0.2")], { ports: [{ name: "", protocol: "TCP", port: 9090 }] }),
      slice([endpoint("10.0.0.3")], { ports: [{ name: "", protocol: "UDP", port: 9090 }] }),
      slice([endpoint("10.0.0.4")], { ports: [{ name: "other", protocol: "TCP", port: 9090 }] }),
      slice([endpoint("10.0.0.5")], { ports: [] }),
    ],
    expected: ["10.0.0.1 8080", "10.0.0.2 9090"],
  },
  { name: "another family's slices are none of its business", slices: [slice([endpoint("fd01::1")])], expected: [] },
  { name: "what is no address is left out", slices: [slice([endpoint("pod-1")], { family: "IPv4" })], expected: [] },
];
for (const { name, slices, localOnly, expected } of cases) {
  test(`usable endpoints: ${name}`, () => {
    const targets = usableEndpoints(slices, { ...query, localOnly: localOnly ?? false });
    assert.deepEqual(
      targets.map((target) => `${formatAddress(target.address)} ${target.port}`),
      expected,
    );
  });
}

test("usable endpoints are the same whatever the order of the slices", () => {
  fc.assert(
    fc.property(fc.array(someSlice, { maxLength: 4 }), (slices) => {
      const addresses = (list: readonly EndpointSliceView[]) =>
        usableEndpoints(list, query).map((target) => `${formatAddress(target.address)} ${target.port}`);
      assert.deepEqual(addresses(slices), addresses([...slices].reverse()));
    }),
  );
});

test("the listing of conntrack is read", () => {
  const listing = [
    "udp      17 29 src=192.0.2.99 dst=192.0.2.200 sport=40000 dport=53 [UNREPLIED] src=10.244.1.2 dst=192.0.2.99 sport=5353 dport=40000 mark=0 use=1",
    "udp      17 119 src=2001:db8::99 dst=2001:db8::200 sport=40000 dport=53 packets=3 bytes=90 src=fd01::2 dst=2001:db8::99 sport=5353 dport=40000 packets=1 bytes=30 [ASSURED] mark=0 use=1",
    "conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.",
    "",
  ].join("\n");
  assert.deepEqual(parseFlows(listing), [
    { destination: "192.0.2.200", destinationPort: 53, replySource: "10.244.1.2", replySourcePort: 5353 },
    { destination: "2001:db8::200", destinationPort: 53, replySource: "fd01::2", replySourcePort: 5353 },
  ]);
});

test("many flows of one kind make one pattern", () => {
  const flow = { destination: "192.0.2.200", destinationPort: 53, replySource: "10.0.0.1", replySourcePort: 53 };
  const rule = { destination: "192.0.2.200", destinationPort: 53, endpoints: new Set<string>() };
  assert.deepEqual(staleFlows([flow, { ...flow }], [rule]), [flow]);
});
