import type { UninstallLine, UninstallReport } from "../../../controller/uninstall/uninstall-report.ts";
import { alignColumns } from "./columns.ts";
import type { Palette } from "./palette.ts";

/** The report for people. Ends with a line break. */
export function renderUninstall(report: UninstallReport, palette: Palette): string {
  const { lines, missingKinds } = report;
  const missing = missingKinds.map(
    (kind) => `There is no kind ${kind}: its CustomResourceDefinition is not installed.`,
  );
  return `${[...missing, ...table(lines, palette), "", conclude(report, palette)].join("\n")}\n`;
}

function table(lines: readonly UninstallLine[], { bold, bad }: Palette): readonly string[] {
  if (lines.length === 0) return [];
  const rows = lines.map(({ kind, name, action, result = "" }) => [kind, name, result, action]);
  const all = [["KIND", "NAME", "RESULT", "ACTION"], ...rows].map((row) =>
    lines[0]?.result === undefined ? [row[0], row[1], row[3]] : row,
  );
  const texts = alignColumns(all);
  return texts.flatMap((text, index) => {
    const why = lines[index - 1]?.why;
    if (index === 0) return [bold(text)];
    return why === undefined ? [text] : [bad(text), bad(`    ${why}`)];
  });
}

function conclude({ acted, lines, left }: UninstallReport, { bold, good, bad }: Palette): string {
  if (left === 0) {
    return good(
      bold(
        "✓ Nothing of Bellhop is left on Services. Rules in the kernel of the nodes are removed by bellhop speaker --cleanup.",
      ),
    );
  }
  if (!acted) return bold("Nothing has been changed yet. With --yes, these steps are done in this order.");
  const failed = lines.some(({ result }) => result === "failed");
  const again = "Start the command again; it continues where it was.";
  if (failed) return bad(bold(`✗ A step failed, and ${left} are left. ${again}`));
  return bad(
    bold(`✗ ${left} steps are left, although all were done: something still runs and writes back. Stop it. ${again}`),
  );
}
