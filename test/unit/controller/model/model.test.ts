import { test } from "node:test";
import fc from "fast-check";
import { wholeNumber } from "../../../lab/whole-number.ts";
import { emptyModel } from "./model.ts";
import { firstPools, restrictedLabels } from "./pool-steps.ts";
import { checkProperties } from "./properties.ts";
import { ReplicatedCluster } from "./replicated-cluster.ts";
import { firstServices } from "./service-steps.ts";
import { allSteps } from "./steps.ts";

/** More for a long search: MODEL_RUNS=2000 MODEL_SEED=1 node --test test/unit/controller/model/model.test.ts */
const { MODEL_RUNS = "60", MODEL_SEED = String(Date.now() % 2 ** 31) } = process.env;
const runs = wholeNumber("MODEL_RUNS", MODEL_RUNS, { from: 1, to: 1_000_000 });
const seed = wholeNumber("MODEL_SEED", MODEL_SEED, { from: 0, to: 2 ** 31 - 1 });
/** `path` and `replayPath` that a failed run has told besides its seed, to see it again at once. */
const path = process.env.MODEL_PATH;
const replayPath = process.env.MODEL_REPLAY;
const replay = path === undefined ? {} : { path };
const replayed = replayPath === undefined ? {} : { replayPath };
/** A run that takes longer has not ended but hangs. */
const runLimitMs = 60_000;

/** Where the namespace is not restricted, it makes no difference when it is seen. */
const namespace = fc.constantFrom(
  { restricted: false, late: false },
  { restricted: true, late: false },
  { restricted: true, late: true },
);

test(`every address is accounted for after any sequence of user actions and failures (seed ${seed}, ${runs} runs)`, async (t) => {
  let steps = 0;
  const property = fc.asyncProperty(
    fc.record({ metallb: fc.boolean(), slow: fc.boolean(), namespace }),
    firstPools,
    firstServices,
    fc.commands([...allSteps], { maxCommands: 60, size: "max", ...replayed }),
    async ({ metallb, slow, namespace: { restricted, late } }, pools, services, commands) => {
      const labels = restricted ? restrictedLabels : {};
      const clusterState = await ReplicatedCluster.create({ metallb, slow, labels, late });
      try {
        const model = emptyModel(metallb, restricted);
        for (const step of [...pools, ...services]) if (step.check(model)) await step.run(model, clusterState);
        await fc.asyncModelRun(() => ({ model, real: clusterState }), commands);
        await clusterState.settle();
        await checkProperties(model, clusterState);
      } finally {
        steps += clusterState.steps;
        await clusterState.end();
      }
    },
  );
  await fc.assert(property, { numRuns: runs, seed, timeout: runLimitMs, ...replay });
  t.diagnostic(`${steps} steps`);
});
