import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { wholeNumber } from "../../../lab/whole-number.ts";
import { runScenario } from "./simulator/run-scenario.ts";
import { randomScenario } from "./simulator/scenario.ts";
import { shrink } from "./simulator/shrink.ts";
import type { Wire } from "./simulator/simulation.ts";

/**
 * How many scenarios are tried, and the seed of the first one; the others follow. To run one again: MEMBERSHIP_SEED=123 MEMBERSHIP_RUNS=1
 * and this file.
 */
const { MEMBERSHIP_RUNS = "20000", MEMBERSHIP_SEED = "1" } = process.env;
const runs = wholeNumber("MEMBERSHIP_RUNS", MEMBERSHIP_RUNS, { from: 1, to: 100_000_000 });
const firstSeed = wholeNumber("MEMBERSHIP_SEED", MEMBERSHIP_SEED, { from: 0, to: 2 ** 32 - 1 });

/** In one test, so that the first ones report soon. */
const runsPerTest = 2000;

function tryAll(first: number, last: number, wire: Wire): void {
  for (let seed = first; seed <= last; seed++) {
    const random = randomScenario(seed);
    // What such a device repeats reaches nodes that are cut off from each other.
    const scenario = wire === "attacked" ? { ...random, lasting: [] } : random;
    const problem = runScenario(scenario, wire);
    if (problem === undefined) continue;
    const smallest = shrink(scenario, (candidate) => runScenario(candidate, wire) !== undefined);
    assert.fail(`seed ${seed}: ${problem}\nsmallest: ${runScenario(smallest, wire)}\n${JSON.stringify(smallest)}`);
  }
}

describe("whatever happens to nodes and network, and whatever lasts, each address has its announcers soon after, for good", () => {
  for (let first = firstSeed; first < firstSeed + runs; first += runsPerTest) {
    const last = Math.min(first + runsPerTest, firstSeed + runs) - 1;
    test(`seeds ${first} to ${last}`, () => tryAll(first, last, "plain"));
  }
});

describe("the same while some nodes have an earlier version", () => {
  const last = firstSeed + Math.ceil(runs / 10) - 1;
  test(`seeds ${firstSeed} to ${last}`, () => tryAll(firstSeed, last, "mixed"));
});

describe("the same with authenticated packets", () => {
  const last = firstSeed + Math.ceil(runs / 100) - 1;
  test(`seeds ${firstSeed} to ${last}`, () => tryAll(firstSeed, last, "sealed"));
  test(`a device without the key repeats and changes packets, and no message of it is accepted: seeds ${firstSeed} to ${last}`, () =>
    tryAll(firstSeed, last, "attacked"));
});
