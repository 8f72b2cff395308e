import { spreadOf } from "../statistics.ts";
import type { TargetFigures, TrialFigures } from "./timeline.ts";

/** One trial as it is kept in a file of results, a line of JSON each. */
export interface TrialRecord {
  readonly kind: "fault" | "change";
  readonly name: string;
  readonly words: string;
  readonly trial: number;
  /** The commit, with `+` behind it when files had changed since. */
  readonly version: string;
  readonly announcer: string;
  /** Load average of one minute when the trial began. */
  readonly load: number;
  /** How long the step took that made the fault or the change, in ms. */
  readonly strikeMs: number;
  readonly figures: TrialFigures;
}

type Row = readonly string[];

/** A table in Markdown for the faults, one for the planned changes, and one for each way to an address. */
export function formatTables(records: readonly TrialRecord[]): string {
  const parts: string[] = [];
  const faults = groupBy(
    records.filter(({ kind }) => kind === "fault"),
    ({ words }) => words,
  );
  const changes = groupBy(
    records.filter(({ kind }) => kind === "change"),
    ({ words }) => words,
  );
  if (faults.size > 0) {
    parts.push(
      table(
        [
          "fault",
          "trials",
          "gap, ms: min / median / max",
          "failed after 1 s",
          "another device answers after, ms",
          "two answer for, ms",
          "connections kept",
        ],
        [...faults].map(([words, trials]) => faultRow(words, trials)),
      ),
      table(
        ["fault", "way", "gap, ms: min / median / max", "failed after 1 s"],
        [...faults].flatMap(([words, trials]) => wayRows(words, trials)),
      ),
    );
  }
  if (changes.size > 0) {
    parts.push(
      table(
        [
          "change",
          "trials",
          "failed requests",
          "broken connections",
          "longest gap, ms",
          "addresses that moved",
          "two answer for, ms",
        ],
        [...changes].map(([words, trials]) => changeRow(words, trials)),
      ),
    );
  }
  const loads = records.map(({ load }) => load);
  if (loads.length > 0) {
    const { min, median, max } = spreadOf(loads);
    const versions = [...new Set(records.map(({ version }) => version))].join(", ");
    parts.push(`Version ${versions}; load average ${min.toFixed(1)} / ${median.toFixed(1)} / ${max.toFixed(1)}.\n`);
  }
  return parts.join("\n");
}

function faultRow(words: string, trials: readonly TrialRecord[]): Row {
  const targets = trials.flatMap(({ figures }) => figures.targets);
  const answerers = trials.flatMap(({ figures }) => figures.answerers);
  const changed = answerers.flatMap(({ changedMs }) => changedMs ?? []);
  const kept = trials.reduce((sum, { figures }) => sum + figures.connections - figures.broken, 0);
  const all = trials.reduce((sum, { figures }) => sum + figures.connections, 0);
  return [
    words,
    String(trials.length),
    gapText(targets),
    lateText(targets),
    changed.length === 0 ? "none does" : spreadText(changed),
    spreadText(answerers.map(({ overlapMs }) => overlapMs)),
    `${kept} of ${all}`,
  ];
}

function wayRows(words: string, trials: readonly TrialRecord[]): readonly Row[] {
  const targets = trials.flatMap(({ figures }) => figures.targets);
  const ways = groupBy(targets, ({ client, path, family }) => `${client}, ${path}, ${family}`);
  return [...ways].map(([way, own]) => [words, way, gapText(own), lateText(own)]);
}

function changeRow(words: string, trials: readonly TrialRecord[]): Row {
  const targets = trials.flatMap(({ figures }) => figures.targets);
  const answerers = trials.flatMap(({ figures }) => figures.answerers);
  const broken = trials.reduce((sum, { figures }) => sum + figures.broken, 0);
  const connections = trials.reduce((sum, { figures }) => sum + figures.connections, 0);
  const gaps = targets.flatMap(({ gapMs }) => gapMs ?? []);
  return [
    words,
    String(trials.length),
    `${sumOf(targets, "failed")} of ${sumOf(targets, "asked")}`,
    `${broken} of ${connections}`,
    gaps.length === 0 ? "–" : spreadText(gaps),
    `${answerers.filter(({ changedMs }) => changedMs !== undefined).length} of ${answerers.length}`,
    spreadText(answerers.map(({ overlapMs }) => overlapMs)),
  ];
}

function gapText(targets: readonly TargetFigures[]): string {
  const gaps = targets.flatMap(({ gapMs }) => gapMs ?? []);
  const endless = targets.length - gaps.length;
  const text = gaps.length === 0 ? "" : spreadText(gaps);
  return [text, ...(endless === 0 ? [] : [`no good answer again: ${endless}`])]
    .filter((part) => part !== "")
    .join("; ");
}

function lateText(targets: readonly TargetFigures[]): string {
  const [failed, asked] = [sumOf(targets, "failedLate"), sumOf(targets, "askedLate")];
  return `${failed} of ${asked}${failed === 0 ? "" : ` (${((100 * failed) / asked).toFixed(1)} %)`}`;
}

function sumOf(targets: readonly TargetFigures[], key: "asked" | "failed" | "failedLate" | "askedLate"): number {
  return targets.reduce((sum, target) => sum + target[key], 0);
}

function spreadText(values: readonly number[]): string {
  const { min, median, max } = spreadOf(values);
  return [min, median, max].map((value) => value.toFixed(0)).join(" / ");
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(items, keyOf);
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}
