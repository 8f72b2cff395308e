import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { countEndpoints, usableNodes } from "../../../../controller/explain/service/endpoints.ts";
import type { Endpoint, EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import { endpointStateOf, resolveEndpoints, usableOf } from "../../../../src/model/endpoints.ts";
import { usableEndpoints } from "../../../../src/model/usable-endpoints.ts";

const port = { name: "http", protocol: "TCP", port: 80, nodePort: 30_080 } as const;
const nodes = ["n1", "n2", undefined] as const;

const ready = { ready: true, serving: true, terminating: false };
const draining = { ready: false, serving: true, terminating: true };
const stopped = { ready: false, serving: false, terminating: true };
const failing = { ready: false, serving: false, terminating: false };

/** A pod runs on one node all its life, so its address tells which. */
function endpoint(host: number, conditions: typeof ready): Endpoint {
  return { address: `10.244.0.${host}`, nodeName: nodes[host % nodes.length], ...conditions };
}

function slice(name: string, endpoints: readonly Endpoint[], number = 8080): EndpointSliceView {
  const ports = [{ name: port.name, protocol: port.protocol, port: number }];
  return { key: `default/${name}`, serviceKey: "default/web", family: "IPv4", ports, endpoints };
}

describe("what an endpoint is good for", () => {
  for (const { name, conditions, state } of [
    { name: "ready", conditions: ready, state: "ready" },
    { name: "terminating and serving", conditions: draining, state: "draining" },
    { name: "terminating and not serving", conditions: stopped, state: "notReady" },
    { name: "neither ready nor terminating", conditions: failing, state: "notReady" },
    {
      name: "ready though it terminates, as with publishNotReadyAddresses",
      conditions: { ...draining, ready: true },
      state: "ready",
    },
  ]) {
    test(`${name}: ${state}`, () => assert.equal(endpointStateOf(endpoint(1, conditions)), state));
  }

  test("draining endpoints are used only where none is ready", () => {
    const states = (endpoints: readonly Endpoint[]) =>
      usableOf(resolveEndpoints([slice("a", endpoints)], {})).map(({ state }) => state);
    assert.deepEqual(states([endpoint(1, ready), endpoint(2, draining)]), ["ready"]);
    assert.deepEqual(states([endpoint(1, failing), endpoint(2, draining)]), ["draining"]);
    assert.deepEqual(states([endpoint(1, failing)]), []);
  });

  test("an address in two slices counts once, as that of the pod that is not terminating, whichever comes first", () => {
    const slices = [slice("a", [endpoint(1, draining)]), slice("b", [endpoint(1, failing)])];
    for (const list of [slices, slices.toReversed()]) {
      assert.deepEqual(
        resolveEndpoints(list, {}).map(({ state }) => state),
        ["notReady"],
      );
    }
  });

  test("an address in two slices counts once, otherwise in its better state", () => {
    const slices = [slice("a", [endpoint(1, stopped)]), slice("b", [endpoint(1, draining)])];
    for (const list of [slices, slices.toReversed()]) {
      assert.deepEqual(
        resolveEndpoints(list, {}).map(({ state }) => state),
        ["draining"],
      );
    }
  });
});

describe("explain and the data plane of each node agree", () => {
  const conditions = fc.constantFrom(ready, draining, stopped, failing);
  const endpoints = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 5 }), conditions).map(([host, given]) => endpoint(host, given)),
    { maxLength: 5 },
  );
  const slices = fc
    .array(endpoints, { maxLength: 3 })
    .map((lists) => lists.map((list, index) => slice(`s${index}`, list)));
  const endpointsOn = (list: readonly EndpointSliceView[], nodeName: string, localOnly: boolean) =>
    usableEndpoints(list, { family: "IPv4", port, node: { name: nodeName }, localOnly });

  test("under Cluster: the nodes that explain calls usable are those that connections go to", () => {
    fc.assert(
      fc.property(slices, (list) => {
        const explained = usableNodes(countEndpoints(list), "IPv4", "Cluster");
        const used = endpointsOn(list, "n9", false).map(
          ({ address }) => nodes[Number(address.value & 255n) % nodes.length],
        );
        assert.deepEqual(explained, new Set(used));
      }),
    );
  });

  test("under Local: a node that explain calls usable has an endpoint of its own, and no other node has", () => {
    fc.assert(
      fc.property(slices, (list) => {
        const explained = usableNodes(countEndpoints(list), "IPv4", "Local");
        for (const node of ["n1", "n2"]) assert.equal(endpointsOn(list, node, true).length > 0, explained.has(node));
      }),
    );
  });
});
