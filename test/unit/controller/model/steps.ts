import type fc from "fast-check";
import { besideSteps } from "./beside-steps.ts";
import { claimSteps } from "./claim-steps.ts";
import { faultSteps } from "./fault-steps.ts";
import { ownerSteps } from "./owner-steps.ts";
import { poolSteps } from "./pool-steps.ts";
import { returnSteps } from "./return-steps.ts";
import { serviceSteps } from "./service-steps.ts";
import type { Step } from "./step.ts";

/** All that may happen; what Services go through as often as everything else together. */
export const allSteps: readonly fc.Arbitrary<Step>[] = [
  ...poolSteps,
  ...serviceSteps,
  ...serviceSteps,
  ...claimSteps,
  ...besideSteps,
  ...ownerSteps,
  ...returnSteps,
  ...returnSteps,
  ...faultSteps,
];
