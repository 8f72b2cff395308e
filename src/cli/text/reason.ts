import type { Reason } from "../../model/reason.ts";

/** What is wrong, and the cure, on lines of their own. */
export function reasonText({ message, cure }: Reason): readonly string[] {
  return [`  ${message}`, `  Cure: ${cure}`];
}
