import { keyOf } from "./announced-addresses.ts";
import type { ResponderReport } from "./commands.ts";

/** A conflict with the same device is reported to the main thread this often at most. */
const conflictReportMs = 1000;
/** An attacker can answer for an address with any number of hardware addresses. */
const maxRemembered = 1_024;

/** Reports conflicts to the main thread, not more often than it needs them. */
export class ConflictReports {
  readonly #report: (report: ResponderReport) => void;
  readonly #reportedAtMs = new Map<string, number>();

  constructor(report: (report: ResponderReport) => void) {
    this.#report = report;
  }

  /** Another device answers for an address that is announced here. Copies the bytes. */
  report(interfaceName: string, address: Uint8Array, mac: Uint8Array, nowMs: number): void {
    const key = `${keyOf(interfaceName, address)} ${mac.join(".")}`;
    if (nowMs - (this.#reportedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < conflictReportMs) return;
    if (this.#reportedAtMs.size >= maxRemembered) this.#reportedAtMs.clear();
    this.#reportedAtMs.set(key, nowMs);
    this.#report({
      kind: "conflict",
      interfaceName,
      address: Uint8Array.from(address),
      mac: Uint8Array.from(mac),
    });
  }
}
