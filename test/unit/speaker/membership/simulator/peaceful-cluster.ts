import assert from "node:assert/strict";
import type { Fact } from "../../../../../speaker/membership/effects.ts";
import { timingFor } from "../../../../../speaker/membership/timing.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

/** The address that is watched, of n1, n2 and n3, in that order. */
export const watched = "192.0.2.1";

/** When the time of peace ends. */
export const peaceMs = 2000;

/** For how long the address was without an announcer, and with several of them, in ms. */
export interface Measured {
  gapMs: number;
  longestGapMs: number;
  overlapMs: number;
  readonly facts: (readonly [string, Fact])[];
}

/** A cluster after some time of peace, in which n1 announces the address. */
export function peacefulCluster(options: Partial<SimulationOptions> = {}): Simulation {
  const simulation = new Simulation({
    seed: 1,
    nodes: 3,
    hasGateway: true,
    noise: { loss: 0, duplicates: 0, delayMs: 1 },
    timing: timingFor(),
    ...options,
  });
  for (const node of simulation.nodes) node.start();
  const owners = simulation.nodes.slice(0, 3).map(({ name }) => name);
  simulation.api.setOwners(watched, owners);
  simulation.runUntil(peaceMs);
  assert.deepEqual(announcersIn(simulation), ["n1"]);
  return simulation;
}

export function announcersIn(simulation: Simulation): readonly string[] {
  return simulation.announcersOf(watched).map(({ name }) => name);
}

/**
 * Measures from now on, each millisecond. `reaches`: whether clients reach the node, which is where they are on the LAN; by default those
 * of the gateway's side that can send and receive.
 */
export function measure(
  simulation: Simulation,
  reaches = (index: number): boolean => simulation.network.isReachable(index),
): Measured {
  const measured: Measured = { gapMs: 0, longestGapMs: 0, overlapMs: 0, facts: [] };
  simulation.reported = (node, fact) => {
    measured.facts.push([node.name, fact]);
  };
  const sample = (): void => {
    const count = simulation.announcersOf(watched).filter(({ index }) => reaches(index)).length;
    measured.gapMs = count === 0 ? measured.gapMs + 1 : 0;
    measured.longestGapMs = Math.max(measured.longestGapMs, measured.gapMs);
    if (count > 1) measured.overlapMs += 1;
    simulation.events.at(simulation.events.nowMs + 1, sample);
  };
  sample();
  return measured;
}
