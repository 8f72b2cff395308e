import type { Reason } from "../../model/reason.ts";

/** What is wrong, and the cure, on lines of their own. */
export function reasonText({ object, field, value, problem, cure }: Reason): readonly string[] {
  const shown = value === "" ? "" : ` ${JSON.stringify(value.slice(0, 200))}`;
  return [`  ${object}: ${field}${shown} ${problem}.`, `  Cure: ${cure}`];
}
