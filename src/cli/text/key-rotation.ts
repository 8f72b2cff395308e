import type { KeyRotation } from "../../../controller/heartbeat-key/rotate-key.ts";
import type { Palette } from "./palette.ts";

/** The answer for people. Ends with a line break. */
export function renderKeyRotation(rotation: KeyRotation, { bold, good, bad }: Palette): string {
  const { secret } = rotation;
  if (!rotation.rotated) return `${bad(bold(`✗ The key in Secret ${secret} was not replaced.`))} ${rotation.why}\n`;
  const { previousKeyMinutes } = rotation;
  const rest = `The controller removes the former key after ${previousKeyMinutes} minutes. Until then, speakers accept both.`;
  return `${good(bold(`✓ The key in Secret ${secret} is replaced.`))} ${rest}\n`;
}
