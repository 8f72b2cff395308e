import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runScenario } from "./simulator/run-scenario.ts";
import { randomScenario } from "./simulator/scenario.ts";
import { shrink } from "./simulator/shrink.ts";

/**
 * How many scenarios are tried, and the seed of the first one; the others follow. To run one again: MEMBERSHIP_SEED=123 MEMBERSHIP_RUNS=1
 * and this file.
 */
const { MEMBERSHIP_RUNS = "20000", MEMBERSHIP_SEED = "1" } = process.env;
const runs = Number(MEMBERSHIP_RUNS);
const firstSeed = Number(MEMBERSHIP_SEED);

/** In one test, so that the first ones report soon. */
const runsPerTest = 2000;

describe("whatever happens to nodes and network, each address has one announcer soon after", () => {
  for (let first = firstSeed; first < firstSeed + runs; first += runsPerTest) {
    const last = Math.min(first + runsPerTest, firstSeed + runs) - 1;
    test(`seeds ${first} to ${last}`, () => {
      for (let seed = first; seed <= last; seed++) {
        const scenario = randomScenario(seed);
        const problem = runScenario(scenario);
        if (problem === undefined) continue;
        const smallest = shrink(scenario, (candidate) => runScenario(candidate) !== undefined);
        assert.fail(`seed ${seed}: ${problem}\nsmallest: ${runScenario(smallest)}\n${JSON.stringify(smallest)}`);
      }
    });
  }
});
