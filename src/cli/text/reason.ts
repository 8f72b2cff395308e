import type { Reason } from "../../model/reason.ts";

/** What is wrong, and the cure, on lines of their own. */
export function reasonText({ problem, cure }: Reason): readonly string[] {
  return [`  ${problem}`, `  Cure: ${cure}`];
}
