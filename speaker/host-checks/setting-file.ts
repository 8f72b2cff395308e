import { readFileSync } from "node:fs";

/**
 * The content of a file of /proc/sys. Undefined if it cannot be read: its part of the kernel is not loaded, the interface is gone, or /proc is
 * masked. What cannot be read is not a fault.
 */
export function readSettingFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
