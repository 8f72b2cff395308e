import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcersIn, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import type { Simulation } from "../simulator/simulation.ts";

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
