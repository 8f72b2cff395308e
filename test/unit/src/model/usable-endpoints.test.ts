import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../../../src/ip/address.ts";
import { type EndpointSliceView, projectEndpointSlice } from "../../../../src/model/endpoint-slice.ts";
import { reachesDeadNode, usableEndpoints } from "../../../../src/model/usable-endpoints.ts";
import { endpoint, port, slice } from "../../speaker/dataplane/fake-node.ts";
import { someSlice } from "../../speaker/dataplane/generated-services.ts";

const query = { family: "IPv4", port: port(), node: { name: "n1", zone: "z1" }, localOnly: false } as const;
const draining = { ready: false, terminating: true };
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
  {
    name: "those with a hint for the node, where every ready one has a hint for a node",
    slices: [
      slice([
        endpoint("10.0.0.1", "n1", { forNodes: ["n1"], forZones: ["z1"] }),
        endpoint("10.0.0.2", "n2", { forNodes: ["n2"], forZones: ["z1"] }),
      ]),
    ],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "those with a hint for the zone, where no hint is for the node",
    slices: [
      slice([
        endpoint("10.0.0.1", "n3", { forNodes: ["n3"], forZones: ["z1", "z3"] }),
        endpoint("10.0.0.2", "n2", { forNodes: ["n2"], forZones: ["z2"] }),
      ]),
    ],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "those with a hint for the zone, where one has no hint for a node",
    slices: [
      slice([
        endpoint("10.0.0.1", "n1", { forNodes: ["n1"], forZones: ["z2"] }),
        endpoint("10.0.0.2", "n2", { forZones: ["z1"] }),
      ]),
    ],
    expected: ["10.0.0.2 8080"],
  },
  {
    name: "all, where one ready endpoint has no hint, in another slice too",
    slices: [slice([endpoint("10.0.0.1", "n1", { forZones: ["z1"] })]), slice([endpoint("10.0.0.2")])],
    expected: ["10.0.0.1 8080", "10.0.0.2 8080"],
  },
  {
    name: "all, where no hint is for this zone",
    slices: [
      slice([endpoint("10.0.0.1", "n1", { forZones: ["z2"] }), endpoint("10.0.0.2", "n2", { forZones: ["z3"] })]),
    ],
    expected: ["10.0.0.1 8080", "10.0.0.2 8080"],
  },
  {
    name: "hints of endpoints that are not ready, and their lack, do not matter",
    slices: [
      slice([
        endpoint("10.0.0.1", "n1", { forZones: ["z1"] }),
        endpoint("10.0.0.2", "n2", { ...draining }),
        endpoint("10.0.0.3", "n2", { ...draining, forZones: ["z1"] }),
        endpoint("10.0.0.4", "n2", { forZones: ["z2"] }),
      ]),
    ],
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "among draining ones hints do not matter",
    slices: [
      slice([
        endpoint("10.0.0.1", "n1", { ...draining, forZones: ["z1"] }),
        endpoint("10.0.0.2", "n2", { ...draining, forZones: ["z2"] }),
      ]),
    ],
    expected: ["10.0.0.1 8080", "10.0.0.2 8080"],
  },
  {
    name: "under Local hints do not matter",
    slices: [
      slice([endpoint("10.0.0.1", "n1", { forZones: ["z2"] }), endpoint("10.0.0.2", "n2", { forZones: ["z1"] })]),
    ],
    localOnly: true,
    expected: ["10.0.0.1 8080"],
  },
  {
    name: "ready ones though they terminate or do not serve, as with publishNotReadyAddresses",
    slices: [
      slice([endpoint("10.0.0.1", "n1", { terminating: true }), endpoint("10.0.0.2", "n1", { serving: false })]),
    ],
    expected: ["10.0.0.1 8080", "10.0.0.2 8080"],
  },
  {
    name: "an address that a starting pod took over from a draining one is not ready",
    slices: [
      slice([endpoint("10.0.0.1", "n1", draining), endpoint("10.0.0.1", "n1", { ready: false, serving: false })]),
    ],
    expected: [],
  },
  { name: "another family's slices are none of its business", slices: [slice([endpoint("fd01::1")])], expected: [] },
  {
    name: "texts that are not addresses are left out",
    slices: [slice([endpoint("pod-1")], { family: "IPv4" })],
    expected: [],
  },
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

const onDead = endpoint("10.0.0.2", "n2");
const deadCases: readonly {
  readonly name: string;
  readonly slices: readonly EndpointSliceView[];
  readonly localOnly?: true;
  readonly expected: readonly string[];
  /** Whether kube-proxy may send connections there. */
  readonly reached: boolean;
}[] = [
  { name: "no more", slices: [slice([endpoint("10.0.0.1"), onDead])], expected: ["10.0.0.1"], reached: true },
  { name: "none where all are", slices: [slice([onDead])], expected: [], reached: true },
  {
    name: "draining ones where all ready ones are",
    slices: [slice([endpoint("10.0.0.1", "n1", draining), onDead])],
    expected: ["10.0.0.1"],
    reached: true,
  },
  {
    name: "no more once it is not ready",
    slices: [slice([endpoint("10.0.0.1"), endpoint("10.0.0.2", "n2", { ready: false, serving: false })])],
    expected: ["10.0.0.1"],
    reached: false,
  },
  {
    name: "all of other zones where all with a hint for this one are",
    slices: [
      slice([endpoint("10.0.0.1", "n3", { forZones: ["z2"] }), endpoint("10.0.0.2", "n2", { forZones: ["z1"] })]),
    ],
    expected: ["10.0.0.1"],
    reached: true,
  },
  {
    name: "those with a hint for this zone, and kube-proxy does not use the dead one of another zone",
    slices: [
      slice([endpoint("10.0.0.1", "n3", { forZones: ["z1"] }), endpoint("10.0.0.2", "n2", { forZones: ["z2"] })]),
    ],
    expected: ["10.0.0.1"],
    reached: false,
  },
  {
    name: "those of this node under Local, as before",
    slices: [slice([endpoint("10.0.0.1"), onDead])],
    localOnly: true,
    expected: ["10.0.0.1"],
    reached: false,
  },
  {
    name: "those without a node, as before",
    slices: [slice([{ ...endpoint("10.0.0.1"), nodeName: undefined }])],
    expected: ["10.0.0.1"],
    reached: false,
  },
];
for (const { name, slices, localOnly, expected, reached } of deadCases) {
  test(`of endpoints on a dead node: ${name}`, () => {
    const node = { ...query.node, deadNodes: new Set(["n2"]) };
    const selection = { ...query, node, localOnly: localOnly ?? false };
    const found = usableEndpoints(slices, selection).map(({ address }) => formatAddress(address));
    assert.deepEqual(found, expected);
    assert.equal(reachesDeadNode(slices, selection), reached);
  });
}

test("no node counts itself as dead", () => {
  const selection = { ...query, node: { ...query.node, deadNodes: new Set(["n1"]) } };
  assert.equal(usableEndpoints([slice([endpoint("10.0.0.1")])], selection).length, 1);
  assert.equal(reachesDeadNode([slice([endpoint("10.0.0.1")])], selection), false);
});

test("a node without a zone follows no hints for zones", () => {
  const slices = [
    slice([endpoint("10.0.0.1", "n1", { forZones: ["z1"] }), endpoint("10.0.0.2", "n2", { forZones: ["z2"] })]),
  ];
  assert.equal(usableEndpoints(slices, { ...query, node: { name: "n1" } }).length, 2);
});

test("of 1,200 endpoints in two slices each is used", () => {
  const part = (first: number) =>
    slice(
      Array.from({ length: 600 }, (_, index) => endpoint(`10.0.${first + Math.floor(index / 250)}.${index % 250}`)),
      { key: `default/web-${first}` },
    );
  assert.equal(usableEndpoints([part(0), part(10)], query).length, 1200);
});

test("a slice is read as kube-proxy reads it", () => {
  const view = projectEndpointSlice({
    metadata: { namespace: "default", name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ port: 8080 }, { name: "none" }],
    endpoints: [
      { addresses: ["10.0.0.1", "10.0.0.9"] },
      { addresses: [] },
      { addresses: ["10.0.0.2"], nodeName: "n2", conditions: { ready: false, terminating: true } },
      { addresses: ["10.0.0.3"], hints: { forNodes: [{ name: "n1" }], forZones: [{ name: "z1" }, { name: "z2" }] } },
      { addresses: ["10.0.0.4"], hints: { forNodes: [], forZones: [] } },
    ],
  });
  const all = { nodeName: undefined, ready: true, serving: true, terminating: false };
  assert.deepEqual(view?.endpoints, [
    { ...all, address: "10.0.0.1" },
    { ...all, address: "10.0.0.2", nodeName: "n2", ready: false, terminating: true },
    { ...all, address: "10.0.0.3", forNodes: ["n1"], forZones: ["z1", "z2"] },
    { ...all, address: "10.0.0.4" },
  ]);
});

test("usable endpoints are the same whatever the order of the slices", () => {
  fc.assert(
    fc.property(fc.array(someSlice, { maxLength: 4 }), (slices) => {
      const addresses = (list: readonly EndpointSliceView[]) =>
        usableEndpoints(list, query).map((target) => `${formatAddress(target.address)} ${target.port}`);
      assert.deepEqual(addresses(slices), addresses([...slices].reverse()));
    }),
  );
});
