import {
  harmlessOutcomes,
  type MigrationCheck,
  type Outcome,
  type PoolFacts,
  type Remark,
  type ServiceChange,
} from "../../../controller/explain/migration/migration-check.ts";
import { listSome } from "../../model/list-some.ts";
import { alignColumns } from "./columns.ts";
import type { Palette } from "./palette.ts";
import { reasonText } from "./reason.ts";

/** How many Services a remark names; the others are counted. */
const named = 5;

const outcomeTexts: Readonly<Record<Outcome, string>> = {
  keeps: "nothing",
  moves: "gets other addresses",
  gets: "gets an address",
  loses: "loses its address",
  unserved: "is not served",
  pending: "nothing: it has no address",
  left: "nothing: Bellhop leaves it alone",
};

/** The check for people. Ends with a line break. */
export function renderMigrationCheck(check: MigrationCheck, palette: Palette): string {
  const { bad } = palette;
  const parts = [
    check.invalid.flatMap(({ file, line, reason }) => [bad(`✗ ${file}:${line} ${reason.code}`), ...reasonText(reason)]),
    check.skipped.map((object) => `${object}: not an IPAddressPool, skipped`),
    serviceLines(check.services, palette),
    poolLines(check.pools, palette),
    check.rejected.flatMap((reason) => [
      bad(`✗ ${reason.object} cannot be used: ${reason.code}`),
      ...reasonText(reason),
    ]),
    check.unreadable.map((key) => bad(`✗ Service ${key} cannot be read, and nothing is known of it.`)),
    [...check.notes, ...remarkLines(check.services)],
    [conclude(check, palette)],
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n")}\n`;
}

function serviceLines(services: readonly ServiceChange[], { bold, bad }: Palette): readonly string[] {
  if (services.length === 0) return ["There is no Service of type LoadBalancer."];
  const rows = services.map(({ service, servedBy, now, then, outcome }) => [
    service,
    servedBy === undefined ? "-" : `${servedBy.name} (${servedBy.by})`,
    now.join(",") || "-",
    then.join(",") || "-",
    outcomeTexts[outcome],
  ]);
  const lines = alignColumns([["SERVICE", "SERVED BY", "NOW", "WITH BELLHOP", "CHANGES"], ...rows]);
  return lines.flatMap((line, index) => {
    const change = services[index - 1];
    if (change === undefined) return [bold(line)];
    const { outcome, reason, lost } = change;
    const why = reason === undefined || outcome === "left" ? [] : [`  ${reason.code}`, ...reasonText(reason)];
    return [
      harmlessOutcomes.has(outcome) ? line : bad(line),
      ...[...why, ...lost.map((text) => `  ${text}`)].map((text) => `  ${text}`),
    ];
  });
}

function poolLines(pools: readonly PoolFacts[], { bold }: Palette): readonly string[] {
  if (pools.length === 0) return ["There is no usable IPAddressPool."];
  const rows = pools.map(({ name, from, services, nodes, interfacesKnown }) => {
    const names =
      nodes.length > named ? `${nodes.slice(0, named).join(",")} and ${nodes.length - named} more` : nodes.join(",");
    return [name, from, String(services), `${names || "none"}${interfacesKnown ? "" : " (by labels)"}`];
  });
  const [head = "", ...lines] = alignColumns([["POOL", "FROM", "SERVICES", "NODES THAT MAY ANNOUNCE"], ...rows]);
  return [bold(head), ...lines];
}

/** A remark for each Service if there are few with the same code, otherwise one line that counts them. */
function remarkLines(services: readonly ServiceChange[]): readonly string[] {
  const all = services.flatMap(({ service, remarks }) => remarks.map((remark) => ({ service, remark })));
  const groups = Map.groupBy(all, ({ remark }) => remark.text);
  return [...groups].map(([text, group]: [string, readonly { service: string; remark: Remark }[]]) => {
    const names = group.map(({ service }) => service);
    return names.length === 1
      ? `Service ${names[0]} ${text}`
      : `Each of the Services ${listSome(names, named)} ${text}`;
  });
}

function conclude(
  { unchanged, services, rejected, invalid, unreadable }: MigrationCheck,
  { bold, good, bad }: Palette,
): string {
  if (unchanged) return good(bold("✓ Nothing would change. Nothing has been changed."));
  const changed = services.filter(({ outcome }) => !harmlessOutcomes.has(outcome)).length;
  const parts = [
    ...(invalid.length > 0 ? [countOf(invalid.length, "error", "errors", "in the files")] : []),
    ...(changed > 0 ? [countOf(changed, "Service", "Services", "would change")] : []),
    ...(unreadable.length > 0 ? [countOf(unreadable.length, "Service", "Services", "cannot be read")] : []),
    ...(rejected.length > 0 ? [countOf(rejected.length, "object", "objects", "cannot be used")] : []),
  ];
  return bad(bold(`✗ ${parts.join(", ")}. Nothing has been changed.`));
}

function countOf(count: number, one: string, many: string, rest: string): string {
  return `${count} ${count === 1 ? one : many} ${rest}`;
}
