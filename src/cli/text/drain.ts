import type { DrainReport } from "../../../controller/moves/drain-node.ts";
import { alignColumns } from "./columns.ts";
import type { Palette } from "./palette.ts";

/** How a node was drained, for people. Ends with a line break. */
export function renderDrain({ node, moved, left }: DrainReport, { bold, good, bad }: Palette): string {
  const count = `${moved} ${moved === 1 ? "address has" : "addresses have"} moved to other nodes`;
  if (left.length === 0) return `${good(bold(`✓ Node ${node} announces no addresses.`))} ${count}.\n`;
  const rows = left.map(({ address, services, reason }) => [address, services.join(","), reason.code]);
  const cures = [...new Map(left.map(({ reason }) => [reason.code, reason])).values()];
  const lines = [
    bad(bold(`✗ ${left.length} ${left.length === 1 ? "address is" : "addresses are"} left on node ${node}. ${count}.`)),
    ...alignColumns([["ADDRESS", "SERVICES", "REASON"], ...rows]).map((text) => `  ${text}`),
    ...cures.flatMap(({ code, message, cure }) => [`  ${bold(code)}: ${message}`, `  Cure: ${cure}`]),
  ];
  return `${lines.join("\n")}\n`;
}
