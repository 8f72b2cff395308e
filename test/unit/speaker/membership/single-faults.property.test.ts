import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deadAfter, speakerDeadAfter, timingFor } from "../../../../speaker/membership/timing.ts";
import { wholeNumber } from "../../../lab/whole-number.ts";
import { announcersIn, measure, peacefulCluster, peaceMs } from "./simulator/peaceful-cluster.ts";
import { Random } from "./simulator/random.ts";
import type { Simulation } from "./simulator/simulation.ts";

/**
 * How many schedules are tried for each fault, and the seed of the first one. To run one again: MEMBERSHIP_SEED=123 MEMBERSHIP_RUNS=100 and this file.
 */
const { MEMBERSHIP_RUNS = "10000", MEMBERSHIP_SEED = "1" } = process.env;
const runs = Math.ceil(wholeNumber("MEMBERSHIP_RUNS", MEMBERSHIP_RUNS, { from: 1, to: 100_000_000 }) / 100);
const firstSeed = wholeNumber("MEMBERSHIP_SEED", MEMBERSHIP_SEED, { from: 0, to: 2 ** 32 - 1 });

const timing = timingFor();
const deadMs = deadAfter * timing.heartbeatMs;
const speakerDeadMs = speakerDeadAfter * timing.heartbeatMs;
/** For packets on their way, clocks that drift, and turns a moment after they were due. */
const slackMs = 8;

/** How the cluster knows that it is not cut off itself. */
interface Setting {
  readonly nodes: number;
  readonly hasGateway: boolean;
}

/** The first thing that goes wrong in a calm network, and for how long the address may be without an announcer that clients reach. */
interface Fault {
  readonly name: string;
  /** n1 announces. */
  readonly strike: (simulation: Simulation, random: Random) => void;
  readonly gapMs: (setting: Setting) => number;
}

/** Two nodes without a gateway have no witness at all. */
const certainMs = ({ nodes, hasGateway }: Setting): number =>
  nodes > 2 || hasGateway ? deadMs : deadMs + 2 * timing.witnessMs;

const faults: readonly Fault[] = [
  { name: "power of the announcer lost", strike: (simulation) => simulation.node(0).crash(true), gapMs: certainMs },
  {
    name: "cable of the announcer pulled",
    strike: ({ network }) => network.setCable(0, false, false),
    gapMs: certainMs,
  },
  {
    name: "nothing that the announcer sends arrives",
    strike: ({ network }) => network.setCable(0, true, false),
    gapMs: certainMs,
  },
  {
    name: "nothing arrives at the announcer",
    strike: ({ network }) => network.setCable(0, false, true),
    // It isolates itself, and says so. Two nodes cannot tell without a gateway which of them is cut off.
    gapMs: ({ nodes, hasGateway }) => (nodes > 2 || hasGateway ? deadMs + timing.witnessMs : 34_000),
  },
  {
    name: "the announcer and the next owner lost together, in a cluster of at least three",
    strike: (simulation) => {
      simulation.node(0).crash(true);
      if (simulation.nodes.length > 2) simulation.node(1).crash(true);
    },
    // One of three that is left without a gateway, and hears nothing else, is perhaps cut off itself.
    gapMs: (setting) => (setting.nodes === 3 && !setting.hasGateway ? Number.POSITIVE_INFINITY : certainMs(setting)),
  },
  {
    name: "the announcer on a side of its own, away from the clients",
    strike: ({ network }) => network.setSide(0, 1),
    gapMs: certainMs,
  },
  {
    name: "speaker of the announcer killed",
    strike: (simulation) => simulation.node(0).crash(false),
    gapMs: () => speakerDeadMs,
  },
  {
    name: "thread of the announcer frozen",
    strike: (simulation) => simulation.node(0).stall(60_000),
    gapMs: () => speakerDeadMs,
  },
  {
    name: "thread of the announcer frozen for a moment",
    strike: (simulation, random) => simulation.node(0).stall(random.integer(1, 300)),
    gapMs: () => 300 + timing.doubtMs,
  },
  { name: "the announcer leaves", strike: (simulation) => simulation.node(0).leave("leave"), gapMs: () => 0 },
  {
    name: "the announcer can no longer deliver",
    strike: (simulation) => simulation.node(0).setHealth({ ipv4: false, ipv6: true }),
    gapMs: () => 0,
  },
  { name: "another node lost", strike: (simulation) => simulation.node(1).crash(true), gapMs: () => 0 },
  {
    name: "another node without its cable",
    strike: ({ network }) => network.setCable(1, false, false),
    gapMs: () => 0,
  },
  {
    name: "thread of another node frozen for a while",
    strike: (simulation, random) => simulation.node(1).stall(random.integer(1, 1000)),
    gapMs: () => 0,
  },
];

/** Returns the longest gap, in ms, of a cluster whose nodes send heartbeats at random times. */
function longestGapMs(fault: Fault, seed: number, setting: Setting): number {
  const random = new Random(seed ^ 0xfa17);
  const simulation = peacefulCluster({ seed, ...setting });
  for (const node of simulation.nodes) node.stall(random.integer(1, 95));
  simulation.runUntil(peaceMs + 1000 + random.integer(0, 100));
  assert.deepEqual(announcersIn(simulation), ["n1"]);
  const measured = measure(simulation);
  fault.strike(simulation, random);
  simulation.runUntil(simulation.events.nowMs + 1500);
  return measured.longestGapMs;
}

describe("the first fault in a calm network costs no more than what it takes to be certain", () => {
  for (const fault of faults) {
    test(fault.name, () => {
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
        const setting = { nodes: 2 + (seed % 4), hasGateway: Math.floor(seed / 4) % 2 === 0 };
        const gapMs = longestGapMs(fault, seed, setting);
        const limitMs = fault.gapMs(setting);
        const isOver = gapMs > (limitMs === 0 ? 0 : limitMs + slackMs);
        assert.ok(!isOver, `seed ${seed}, ${JSON.stringify(setting)}: ${gapMs} ms instead of ${limitMs}`);
      }
    });
  }
});
