import { assignedCases } from "./cases/assigned-cases.ts";
import { goneCases } from "./cases/gone-cases.ts";
import { invalidSettingCases } from "./cases/invalid-setting-cases.ts";
import { otherClassCases } from "./cases/other-class-cases.ts";
import { otherControllerCases } from "./cases/other-controller-cases.ts";
import type { PlanCase } from "./cases/plan-case.ts";
import { refusedCases } from "./cases/refused-cases.ts";
import { usedElsewhereCases } from "./cases/used-elsewhere-cases.ts";

/** Every row of the table of planService. */
export const planCases: readonly PlanCase[] = [
  ...assignedCases,
  ...usedElsewhereCases,
  ...refusedCases,
  ...invalidSettingCases,
  ...goneCases,
  ...otherClassCases,
  ...otherControllerCases,
];
