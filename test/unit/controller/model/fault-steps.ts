import fc from "fast-check";
import type { Fate } from "./crashing-client.ts";
import { type Model, touch } from "./model.ts";
import { pace, stepOf } from "./step.ts";

const minuteMs = 60_000;

/** Holds that were written by one clock are ended by another: no sooner or later than the two are apart. */
function stepHolds(model: Model, ms: number): void {
  for (const [address, hold] of model.holds) {
    const { earliestMs, latestMs } = hold;
    model.holds.set(address, {
      ...hold,
      earliestMs: earliestMs - Math.max(0, ms),
      latestMs: latestMs - Math.min(0, ms),
    });
  }
  for (const [name, departure] of model.departures) {
    const { atMs, setBackMs } = departure;
    model.departures.set(name, {
      ...departure,
      atMs: atMs - Math.max(0, ms),
      setBackMs: setBackMs - Math.min(0, ms),
    });
  }
}

/** Time passes and clocks are set; controllers stop, start, run side by side, and die at a write; requests, answers and watches get lost. */
export const faultSteps = [
  fc.tuple(fc.constantFrom(1, 3, 10), pace).map(([minutes, speed]) =>
    stepOf({
      text: `${minutes} min pass`,
      pace: speed,
      run: (_, clusterState) => clusterState.clock.advance(minutes * minuteMs),
    }),
  ),
  fc.tuple(fc.constantFrom(-300, -2, 2, 300), pace).map(([minutes, speed]) =>
    stepOf({
      text: `wall clock ${minutes > 0 ? "forward" : "back"} by ${Math.abs(minutes)} min`,
      pace: speed,
      run: (model, clusterState) => {
        clusterState.clock.stepWall(minutes * minuteMs);
        stepHolds(model, minutes * minuteMs);
      },
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "restart",
      pace: speed,
      run: async (_, clusterState) => {
        await clusterState.stopOne();
        await clusterState.startOne();
      },
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "--default-class is switched",
      pace: speed,
      run: async (model, clusterState) => {
        model.defaultClass = !model.defaultClass;
        // What was deleted a moment ago is left in the one way or the other.
        model.poolsTouched++;
        for (const [name, service] of model.services) if (service.class === "none") touch(model, name);
        await clusterState.restartAll(model.defaultClass);
      },
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "the watches of namespaces catch up",
      pace: speed,
      run: (_, clusterState) => {
        if (clusterState.hidesNamespaces) clusterState.showNamespaces();
      },
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "a second controller leads as well",
      pace: speed,
      run: async (_, clusterState) => {
        if (clusterState.replicas < 2) await clusterState.startOne();
        else await clusterState.stopOne();
      },
    }),
  ),
  fc
    .tuple(
      fc.array(fc.constantFrom<Fate>("lost-request", "lost-answer", "dies-before", "dies-after"), {
        minLength: 1,
        maxLength: 4,
      }),
      pace,
    )
    .map(([fates, speed]) =>
      stepOf({ text: `next writes: ${fates}`, pace: speed, run: (_, clusterState) => clusterState.spoil(fates) }),
    ),
  fc.tuple(fc.boolean(), pace).map(([expired, speed]) =>
    stepOf({
      text: `watches break${expired ? ", versions expire" : ""}`,
      pace: speed,
      run: (_, clusterState) => clusterState.breakWatches(expired),
    }),
  ),
];
