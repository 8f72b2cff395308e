import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { usableEndpoints } from "../../../../speaker/dataplane/usable-endpoints.ts";
import { formatAddress } from "../../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import { endpoint, port, slice } from "./fake-node.ts";
import { someSlice } from "./generated-services.ts";

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

test("usable endpoints are the same whatever the order of the slices", () => {
  fc.assert(
    fc.property(fc.array(someSlice, { maxLength: 4 }), (slices) => {
      const addresses = (list: readonly EndpointSliceView[]) =>
        usableEndpoints(list, query).map((target) => `${formatAddress(target.address)} ${target.port}`);
      assert.deepEqual(addresses(slices), addresses([...slices].reverse()));
    }),
  );
});
