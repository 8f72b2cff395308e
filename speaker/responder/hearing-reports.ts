import type { Hearing } from "../membership/hearing.ts";
import type { ResponderReport } from "./commands.ts";

/** How often it is reported which other speakers are heard, if others are than before. */
const hearingReportMs = 1000;

/** Reports to the main thread which other speakers are heard, not more often than it needs that. */
export class HearingReports {
  /** Costs as much as there are peers. */
  readonly #membership: { readonly hearing: Hearing };
  readonly #report: (report: ResponderReport) => void;
  #dueMs = Number.NEGATIVE_INFINITY;
  #reportedText = " ";

  constructor(membership: { readonly hearing: Hearing }, report: (report: ResponderReport) => void) {
    this.#membership = membership;
    this.#report = report;
  }

  /** Another speaker has died or returned: the next `report` does not wait. */
  hasten(): void {
    this.#dueMs = Number.NEGATIVE_INFINITY;
  }

  /** Reports what has changed, if it is time. Call it every turn. */
  report(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + hearingReportMs;
    const { heard, lost } = this.#membership.hearing;
    const text = `${heard.join()} ${lost.join()}`;
    if (text === this.#reportedText) return;
    this.#reportedText = text;
    this.#report({ kind: "hearing", hearing: { heard, lost } });
  }
}
