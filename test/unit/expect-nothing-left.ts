import assert from "node:assert/strict";
import { setImmediate as turnOver } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// The heap also holds code in several versions, which come and go; without them the same turns leave the same bytes each time.
for (const flag of ["expose-gc", "no-opt", "no-maglev", "no-sparkplug", "no-flush-bytecode"]) {
  setFlagsFromString(`--${flag}`);
}
const collect = runInNewContext("gc") as () => void;

const rounds = 5;
/** A turn that leaves less than this has kept no object; it is the engine that has learnt something. */
const mostBytes = 100;

/**
 * Fails when a turn leaves something on the heap, by the median of some rounds after a first one. `forget` empties what the test
 * itself collects. Makes the whole process slow from its import on.
 */
export async function expectNothingLeft(turns: number, turn: () => Promise<void>, forget: () => void): Promise<void> {
  const used: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (let index = 0; index < turns; index++) await turn();
    forget();
    // What was only weakly held takes more than one look.
    for (let look = 0; look < 3; look++) {
      collect();
      await turnOver();
    }
    used.push(process.memoryUsage().heapUsed);
  }
  const left = used.slice(1).map((bytes, round) => (bytes - (used[round] ?? 0)) / turns);
  const bytes = left.sort((one, other) => one - other)[Math.floor(rounds / 2)] ?? 0;
  assert.ok(bytes < mostBytes, `each turn leaves ${bytes} bytes`);
}
