import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import { type FaultRow, testFaults } from "./fault-row.ts";

testFaults([
  {
    name: "power of the announcer lost",
    fault: (simulation) => simulation.node(0).crash(true),
    gapMs: 231,
    settled: ["n2"],
    down: ["n1 node"],
  },
  {
    name: "power of the announcer lost, in a cluster of two",
    nodes: 2,
    fault: (simulation) => simulation.node(0).crash(true),
    gapMs: 231,
    settled: ["n2"],
    down: ["n1 node"],
  },
  {
    name: "power of the announcer lost, in a cluster of two without a gateway",
    nodes: 2,
    hasGateway: false,
    fault: (simulation) => simulation.node(0).crash(true),
    gapMs: 331,
    settled: ["n2"],
    down: ["n1 node"],
  },
  ...[true, false].map(
    (lanTraffic): FaultRow => ({
      name: `power of the announcer lost after it had not heard the other node for a second, in a cluster of two without a gateway, ${
        lanTraffic ? "with" : "without"
      } other devices`,
      nodes: 2,
      hasGateway: false,
      fault: (simulation) => {
        simulation.network.setBlocked(1, 0, true);
        simulation.events.at(peaceMs + 1000, () => simulation.node(0).crash(true));
      },
      gapMs: 31_000,
      settled: ["n2"],
      forMs: 34_000,
      options: { otherDevices: lanTraffic ? "chatty" : "silent" },
    }),
  ),
  {
    name: "power of the announcer and of the next owner lost",
    nodes: 4,
    fault: (simulation) => {
      simulation.node(0).crash(true);
      simulation.node(1).crash(true);
    },
    gapMs: 231,
    settled: ["n3"],
    down: ["n1 node", "n2 node"],
  },
]);

test("a death is soon known to nodes that share no owner list with the dead one", () => {
  const simulation = peacefulCluster({ nodes: 16 });
  const { facts } = measure(simulation);
  simulation.node(0).crash(true);
  simulation.runUntil(peaceMs + 270);
  const knowing = facts.filter(([, fact]) => fact.kind === "peerDown" && fact.node === "n1" && fact.nodeDead);
  assert.equal(new Set(knowing.map(([node]) => node)).size, 15);
});
