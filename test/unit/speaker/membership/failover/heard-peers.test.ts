import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import type { Simulation } from "../simulator/simulation.ts";

describe("which peers a node reports as heard", () => {
  const heardBy = (simulation: Simulation, index: number): readonly string[] =>
    simulation.node(index).membership?.hearing.heard ?? [];
  const rows: readonly {
    readonly name: string;
    readonly fault: (simulation: Simulation) => void;
    readonly heard: string[];
  }[] = [
    { name: "all that it hears, in peace", fault: () => {}, heard: ["n1", "n2"] },
    { name: "not one that only others hear", fault: ({ network }) => network.setBlocked(0, 2, true), heard: ["n2"] },
    { name: "not one that hears nothing", fault: ({ network }) => network.setCable(0, false, true), heard: ["n2"] },
    {
      name: "not one that can deliver nothing",
      fault: (simulation) => simulation.node(0).setHealth({ ipv4: false, ipv6: false }),
      heard: ["n2"],
    },
    {
      name: "one that can deliver one family",
      fault: (simulation) => simulation.node(0).setHealth({ ipv4: false, ipv6: true }),
      heard: ["n1", "n2"],
    },
    { name: "one that restarts", fault: (simulation) => simulation.node(0).leave("restart"), heard: ["n1", "n2"] },
  ];
  for (const { name, fault, heard } of rows) {
    test(name, () => {
      const simulation = peacefulCluster();
      fault(simulation);
      simulation.runUntil(peaceMs + 1500);
      assert.deepEqual([...heardBy(simulation, 2)].sort(), heard);
    });
  }
});
