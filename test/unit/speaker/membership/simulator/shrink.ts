import type { Scenario } from "./scenario.ts";

/** A smaller scenario in which `fails` is still true: fewer steps and lasting faults, less noise, no lag. */
export function shrink(scenario: Scenario, fails: (scenario: Scenario) => boolean): Scenario {
  let smallest = scenario;
  const attempt = (candidate: Scenario): boolean => {
    if (!fails(candidate)) return false;
    smallest = candidate;
    return true;
  };
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (let index = smallest.steps.length - 1; index >= 0; index--) {
      shrunk = attempt({ ...smallest, steps: smallest.steps.filter((_, at) => at !== index) }) || shrunk;
    }
    for (let index = smallest.addresses.length - 1; index >= 0 && smallest.addresses.length > 1; index--) {
      const gone = smallest.addresses[index]?.address;
      if (smallest.steps.some((step) => "address" in step && step.address === gone)) continue;
      shrunk = attempt({ ...smallest, addresses: smallest.addresses.filter((_, at) => at !== index) }) || shrunk;
    }
    const { loss, duplicates, delayMs } = smallest.noise;
    if (loss > 0) shrunk = attempt({ ...smallest, noise: { loss: 0, duplicates, delayMs } }) || shrunk;
    if (duplicates > 0) shrunk = attempt({ ...smallest, noise: { loss, duplicates: 0, delayMs } }) || shrunk;
    if (delayMs > 1) shrunk = attempt({ ...smallest, noise: { ...smallest.noise, delayMs: 1 } }) || shrunk;
    for (let index = smallest.lasting.length - 1; index >= 0; index--)
      shrunk = attempt({ ...smallest, lasting: smallest.lasting.filter((_, at) => at !== index) }) || shrunk;
    if (smallest.listsFollow) shrunk = attempt({ ...smallest, listsFollow: false }) || shrunk;
    if (smallest.otherDevices !== "silent") shrunk = attempt({ ...smallest, otherDevices: "silent" }) || shrunk;
    if (smallest.lagMs.some((lag) => lag > 0))
      shrunk = attempt({ ...smallest, lagMs: smallest.lagMs.map(() => 0) }) || shrunk;
    if (smallest.armMs.some((arm) => arm > 0))
      shrunk = attempt({ ...smallest, armMs: smallest.armMs.map(() => 0) }) || shrunk;
  }
  return smallest;
}
