import { formatSpread, spreadOf } from "../statistics.ts";
import type { Version } from "./version.ts";

/** Figures by title, for two versions that are measured in turn. */
export class PairedFigures {
  readonly #figures = new Map<string, Map<Version["name"], number[]>>();

  note(version: Version["name"], title: string, value: number): void {
    const figures = this.#figures.get(title) ?? new Map<Version["name"], number[]>();
    this.#figures.set(title, figures.set(version, [...(figures.get(version) ?? []), value]));
  }

  /** One line for each title: the spread of both versions, and the spread of the quotients of neighbouring trials. */
  lines(): readonly string[] {
    return [...this.#figures].map(([title, figures]) => {
      const [before = [], now = []] = [figures.get("before"), figures.get("now")];
      const texts = [
        ...(before.length === 0 ? [] : [`before ${formatSpread(spreadOf(before), 2)}`]),
        ...(now.length === 0 ? [] : [`now ${formatSpread(spreadOf(now), 2)}`]),
      ];
      const quotients = now.slice(0, before.length).map((value, index) => value / (before[index] ?? Number.NaN));
      if (quotients.length > 0) texts.push(`now/before ${formatSpread(spreadOf(quotients), 2)}`);
      return `${title}: ${texts.join("; ")}`;
    });
  }
}
