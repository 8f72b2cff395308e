import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fact } from "../../../../speaker/membership/effects.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { Simulation, type SimulationOptions } from "./simulator/simulation.ts";

const address = "192.0.2.1";

/** Nodes that announce the address in the order of their names, after two seconds of peace. */
function peacefulCluster(options: Partial<SimulationOptions> = {}): Simulation {
  const simulation = new Simulation({
    seed: 1,
    nodes: 3,
    hasGateway: true,
    noise: { loss: 0, duplicates: 0, delayMs: 1 },
    timing: timingFor(),
    ...options,
  });
  for (const node of simulation.nodes) node.start();
  simulation.api.setOwners(
    address,
    simulation.nodes.slice(0, 3).map(({ name }) => name),
  );
  simulation.runUntil(2000);
  assert.deepEqual(announcers(simulation), ["n1"]);
  return simulation;
}

function announcers(simulation: Simulation): readonly string[] {
  return simulation.announcersOf(address).map(({ name }) => name);
}

/** What a node reports from now on. */
function factsOf(simulation: Simulation, kind: Fact["kind"]): readonly (readonly [string, Fact])[] {
  const facts: (readonly [string, Fact])[] = [];
  simulation.reported = (node, fact) => {
    if (fact.kind === kind) facts.push([node.name, fact]);
  };
  return facts;
}

describe("membership", () => {
  test("the next owner announces the address of a node that lost its power, within 260 ms of its last heartbeat", () => {
    const simulation = peacefulCluster();
    const facts = factsOf(simulation, "holding");
    simulation.node(0).crash(true);
    simulation.runUntil(2260);
    assert.deepEqual(announcers(simulation), ["n2"]);
    const [[node, fact] = []] = facts;
    assert.equal(node, "n2");
    assert.ok(fact?.kind === "holding" && fact.cause === "PeerDead" && fact.from === "n1" && fact.gapMs <= 260);
  });
});
