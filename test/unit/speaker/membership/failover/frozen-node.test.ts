import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcersIn, type Measured, measure, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import type { Simulation } from "../simulator/simulation.ts";
import { deadNodesIn } from "./dead-nodes.ts";

/** By node: which others it counts as frozen, by what was last reported to it. */
function frozenNodesIn({ facts }: Measured): Readonly<Record<string, readonly string[]>> {
  const frozen = new Map<string, Set<string>>();
  for (const [node, fact] of facts) {
    const mine = frozen.get(node) ?? new Set();
    frozen.set(node, mine);
    if (fact.kind === "peerDown" && fact.frozen === true) mine.add(fact.node);
    else if (fact.kind === "peerDown" || fact.kind === "peerUp") mine.delete(fact.node);
  }
  return Object.fromEntries([...frozen].map(([node, mine]) => [node, [...mine]]));
}

describe("a node whose programs are frozen, and whose kernel works", () => {
  for (const nodes of [2, 3, 16]) {
    test(`leaves the data path within a second, until it continues; ${nodes} nodes`, () => {
      for (const seed of [1, 2, 3, 4]) {
        const simulation = peacefulCluster({ seed, nodes });
        const measured = measure(simulation);
        simulation.node(0).freeze(20_000);
        simulation.runUntil(peaceMs + 850);
        const others = simulation.nodes.slice(1);
        for (const { name } of others) assert.deepEqual(frozenNodesIn(measured)[name], ["n1"], `seed ${seed}, ${name}`);
        simulation.runUntil(peaceMs + 19_900);
        for (const { name } of others) assert.deepEqual(deadNodesIn(measured)[name], ["n1"], `seed ${seed}, ${name}`);
        simulation.runUntil(peaceMs + 20_500);
        for (const { name } of others) assert.deepEqual(deadNodesIn(measured)[name], [], `seed ${seed}, ${name}`);
        assert.deepEqual(announcersIn(simulation).length, 1, `seed ${seed}`);
      }
    });
  }

  const others: readonly { readonly name: string; readonly fault: (simulation: Simulation) => void }[] = [
    { name: "whose speaker is killed", fault: (simulation) => simulation.node(0).crash(false) },
    { name: "whose speaker is stopped", fault: (simulation) => simulation.node(0).stall(10_000) },
    { name: "whose speaker is stopped for a moment", fault: (simulation) => simulation.node(0).stall(700) },
    { name: "whose speaker restarts", fault: (simulation) => simulation.node(0).leave("restart") },
    { name: "whose power is off", fault: (simulation) => simulation.node(0).crash(true) },
    { name: "of which nothing arrives", fault: ({ network }) => network.setCable(0, true, false) },
    { name: "at which nothing arrives", fault: ({ network }) => network.setCable(0, false, true) },
    {
      name: "whose speaker is killed, at a node that is cut off then",
      fault: (simulation) => {
        simulation.node(0).crash(false);
        simulation.events.at(peaceMs + 460, () => simulation.network.setCable(1, false, false));
      },
    },
    {
      name: "whose speaker and kubelet are both gone",
      fault: (simulation) => {
        simulation.node(0).hasKubelet = false;
        simulation.node(0).crash(false);
      },
    },
  ];
  for (const { name, fault } of others) {
    test(`is not one ${name}`, () => {
      for (const seed of [1, 2, 3, 4]) {
        const simulation = peacefulCluster({ seed });
        const { facts } = measure(simulation);
        fault(simulation);
        simulation.runUntil(peaceMs + 8000);
        const frozen = facts.filter(([, fact]) => fact.kind === "peerDown" && fact.frozen === true);
        assert.deepEqual(frozen, [], `seed ${seed}`);
      }
    });
  }
});
