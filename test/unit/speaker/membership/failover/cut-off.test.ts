import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcersIn, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import type { Simulation } from "../simulator/simulation.ts";
import { blockBoth } from "./fault-row.ts";

describe("a node that is cut off stops to answer, although clients beside it may still hear it", () => {
  for (const [name, nodes, hasGateway, fault] of [
    ["cable pulled", 3, true, (network) => network.setCable(0, false, false)],
    ["cable pulled, in a cluster of two", 2, true, (network) => network.setCable(0, false, false)],
    ["cable pulled, in a cluster of three without a gateway", 3, false, (network) => network.setCable(0, false, false)],
    ["it receives nothing", 3, true, (network) => network.setCable(0, false, true)],
  ] as const satisfies readonly (readonly [string, number, boolean, (network: Simulation["network"]) => void])[]) {
    test(name, () => {
      for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const simulation = peacefulCluster({ seed, nodes, hasGateway });
        fault(simulation.network);
        simulation.runUntil(peaceMs + 1000);
        assert.deepEqual(announcersIn(simulation), ["n2"], `seed ${seed}`);
        simulation.network.heal();
        simulation.runUntil(peaceMs + 4000);
        assert.deepEqual(announcersIn(simulation), ["n2"], `seed ${seed}, whole again`);
      }
    });
  }
});

test("a node that only a witness answers is not cut off, although that one sends it no heartbeats", () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    // n1 and n5 are not next to each other on a ring.
    const simulation = peacefulCluster({ seed, nodes: 5 });
    simulation.api.setOwners("192.0.2.9", ["n5"]);
    simulation.runUntil(peaceMs + 500);
    for (const node of [0, 4]) simulation.network.setSide(node, 1);
    simulation.runUntil(peaceMs + 4000);
    const announcers = simulation.announcersOf("192.0.2.9").map(({ name }) => name);
    assert.deepEqual(announcers, ["n5"], `seed ${seed}`);
  }
});

describe("what a third node said of a holder counts no longer once nothing arrives there", () => {
  for (const isHeard of [false, true]) {
    test(isHeard ? "its heartbeats arrive, and its claims do not" : "it is not heard", () => {
      for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const simulation = peacefulCluster({ seed, nodes: 4 });
        for (const node of [1, 3]) simulation.network.setSide(node, 1);
        simulation.runUntil(peaceMs + 1000);
        // Now both n1 and n2 announce, do not hear each other, and n3 tells n1 of the better claim.
        for (const node of [1, 3]) simulation.network.setSide(node, 0);
        blockBoth(simulation, 0, 1);
        simulation.runUntil(peaceMs + 3000);
        simulation.network.setBlocked(1, 0, !isHeard);
        simulation.runUntil(peaceMs + 4000);
        assert.deepEqual(announcersIn(simulation), ["n2"], `seed ${seed}`);
        simulation.node(2).setHealth({ ipv4: false, ipv6: true });
        simulation.network.setCable(1, false, true);
        simulation.runUntil(peaceMs + 6000);
        assert.deepEqual(announcersIn(simulation), ["n1"], `seed ${seed}, n2 is cut off`);
      }
    });
  }
});
