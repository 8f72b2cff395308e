import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { announcersIn, type Measured, measure, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import type { Simulation, SimulationOptions } from "../simulator/simulation.ts";

/** A fault, and what follows from it for clients. Simulated time: the bounds are exact, not measurements of this machine. */
export interface FaultRow {
  readonly name: string;
  readonly nodes?: number;
  readonly hasGateway?: boolean;
  readonly fault: (simulation: Simulation) => void;
  /** For how long the address may be without an announcer that clients reach, in ms. */
  readonly gapMs: number;
  readonly overlapMs?: number;
  /** Who announces it in the end. */
  readonly settled: readonly string[];
  /** Nodes that are reported as dead, with their kernel or without. */
  readonly down?: readonly string[];
  readonly forMs?: number;
  readonly options?: Partial<SimulationOptions>;
  /** Who never announces it. */
  readonly never?: string;
}

/** Neither of the two nodes hears the other one. */
export function blockBoth({ network }: Simulation, one: number, other: number): void {
  network.setBlocked(one, other, true, true);
}

function downIn({ facts }: Measured): readonly string[] {
  const down = new Set<string>();
  for (const [, fact] of facts)
    if (fact.kind === "peerDown") down.add(`${fact.node} ${fact.nodeDead ? "node" : "speaker"}`);
  return [...down].sort();
}

/** A test of each row, with eight seeds. */
export function testFaults(rows: readonly FaultRow[]): void {
  describe("what a fault costs", () => {
    for (const row of rows) {
      test(row.name, () => {
        for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
          const simulation = peacefulCluster({
            seed,
            nodes: row.nodes ?? 3,
            hasGateway: row.hasGateway ?? true,
            ...row.options,
          });
          const measured = measure(simulation);
          row.fault(simulation);
          simulation.runUntil(peaceMs + (row.forMs ?? 4000));
          const announcers = announcersIn(simulation).filter((name) =>
            simulation.nodes.some((node) => node.name === name && simulation.network.isReachable(node.index)),
          );
          assert.deepEqual(announcers, row.settled, `seed ${seed}`);
          assert.ok(measured.longestGapMs <= row.gapMs, `seed ${seed}: a gap of ${measured.longestGapMs} ms`);
          assert.ok(measured.overlapMs <= (row.overlapMs ?? 0), `seed ${seed}: an overlap of ${measured.overlapMs} ms`);
          const holders = measured.facts.filter(([, { kind }]) => kind === "holding").map(([name]) => name);
          assert.ok(row.never === undefined || !holders.includes(row.never), `seed ${seed}: ${row.never} announced it`);
          if (row.down !== undefined) assert.deepEqual(downIn(measured), row.down, `seed ${seed}`);
        }
      });
    }
  });
}
