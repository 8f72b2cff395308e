import assert from "node:assert/strict";
import { test } from "node:test";
import { announcersIn, measure, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import { blockBoth, type FaultRow, testFaults } from "./fault-row.ts";

testFaults([
  {
    name: "cable of the announcer pulled",
    fault: (simulation) => simulation.network.setCable(0, false, false),
    gapMs: 231,
    settled: ["n2"],
    down: ["n1 node"],
  },
  {
    name: "cables of the announcer and of the next owner pulled, in a cluster of three",
    fault: (simulation) => {
      simulation.network.setCable(0, false, false);
      simulation.network.setCable(1, false, false);
    },
    gapMs: 231,
    settled: ["n3"],
    down: ["n1 node", "n2 node"],
  },
  {
    name: "the announcer receives nothing",
    fault: (simulation) => simulation.network.setCable(0, false, true),
    gapMs: 300,
    settled: ["n2"],
    down: ["n1 node"],
  },
  {
    name: "the announcer hears no frame of the next owner, and those of a third node",
    fault: (simulation) => simulation.network.setBlocked(1, 0, true),
    gapMs: 0,
    settled: ["n1"],
    down: [],
  },
  {
    name: "the announcer hears no frame of other nodes, and those of the gateway",
    fault: (simulation) => {
      simulation.network.setBlocked(1, 0, true);
      simulation.network.setBlocked(2, 0, true);
    },
    gapMs: 0,
    settled: ["n1"],
  },
  {
    name: "nothing that the announcer sends arrives",
    fault: (simulation) => simulation.network.setCable(0, true, false),
    gapMs: 231,
    settled: ["n2"],
    down: ["n1 node"],
  },
  {
    name: "the announcer and one other are on a side of their own",
    nodes: 4,
    fault: (simulation) => {
      simulation.network.setSide(0, 1);
      simulation.network.setSide(1, 1);
    },
    gapMs: 231,
    settled: ["n3"],
  },
  {
    name: "the announcer and the next owner do not hear each other, and a third node hears both: nothing happens",
    fault: (simulation) => blockBoth(simulation, 0, 1),
    gapMs: 0,
    settled: ["n1"],
    never: "n2",
  },
  {
    name: "for 20 s nothing that a waiting owner sends arrives: it does not take the address, and the announcer keeps it",
    fault: (simulation) => {
      simulation.network.setCable(1, true, false);
      simulation.events.at(peaceMs + 20_000, () => simulation.network.heal());
    },
    gapMs: 0,
    settled: ["n1"],
    forMs: 24_000,
    options: { otherDevices: "chatty", wire: "sealed" },
    never: "n2",
  },
  {
    name: "for 60 s nothing that a waiting owner sends arrives, beside a gateway: it does not take the address",
    fault: (simulation) => {
      simulation.network.setCable(1, true, false);
      simulation.events.at(peaceMs + 60_000, () => simulation.network.heal());
    },
    gapMs: 0,
    settled: ["n1"],
    forMs: 64_000,
    options: { otherDevices: "chatty", wire: "sealed" },
    never: "n2",
  },
  ...[0, 1].flatMap((node) =>
    [true, false].map(
      (lanTraffic): FaultRow => ({
        name: `for 60 s nothing that n${node + 1} sends arrives, in a cluster of two without a gateway, ${
          lanTraffic ? "with" : "without"
        } other devices: it takes the address without being heard, and for good when it is heard again`,
        nodes: 2,
        hasGateway: false,
        fault: (simulation) => {
          simulation.network.setCable(node, true, false);
          simulation.events.at(peaceMs + 60_000, () => simulation.network.heal());
        },
        // The announcer is followed as after any other fault. Neither way there is a gap when the other one is heard again.
        gapMs: node === 0 ? 331 : 0,
        overlapMs: 110,
        settled: [`n${node + 1}`],
        forMs: 64_000,
        options: { otherDevices: lanTraffic ? "chatty" : "silent", wire: "sealed" },
      }),
    ),
  ),
  {
    name: "heartbeats between the only two nodes blocked by a firewall",
    nodes: 2,
    fault: (simulation) => simulation.network.setUdp(false),
    gapMs: 0,
    settled: ["n1"],
  },
  {
    name: "heartbeats between all of three nodes blocked by a firewall",
    fault: (simulation) => simulation.network.setUdp(false),
    gapMs: 0,
    settled: ["n1"],
  },
]);

test("without heartbeats from the start the first owner announces, and no other node takes over", () => {
  const simulation = peacefulCluster({ udp: false });
  const measured = measure(simulation);
  simulation.node(0).crash(true);
  simulation.runUntil(peaceMs + 5000);
  assert.deepEqual(announcersIn(simulation), []);
  assert.equal(measured.facts.length, 0);
});

test("after a partition the node that continues repeats its gratuitous frames, because the other one sent some too", () => {
  const simulation = peacefulCluster({ nodes: 4 });
  simulation.network.setSide(2, 1);
  simulation.network.setSide(3, 1);
  simulation.runUntil(peaceMs + 1000);
  assert.deepEqual(announcersIn(simulation), ["n1", "n3"]);
  const repeating: string[] = [];
  simulation.repeated = (node) => repeating.push(node.name);
  simulation.network.heal();
  simulation.runUntil(peaceMs + 2000);
  assert.deepEqual(announcersIn(simulation), ["n3"]);
  assert.ok(repeating.includes("n3"));
});
