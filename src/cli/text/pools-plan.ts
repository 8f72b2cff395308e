import type { AffectedAddress, PoolChange, PoolsPlan } from "../../../controller/explain/pools/pools-plan.ts";
import { listSome } from "../../model/list-some.ts";
import type { Palette } from "./palette.ts";
import { reasonText } from "./reason.ts";

/** How many addresses are listed; the others are counted. */
const listed = 20;

/** The plan for people. Ends with a line break. */
export function renderPoolsPlan(plan: PoolsPlan, palette: Palette): string {
  const { bold, bad } = palette;
  const { IPv4, IPv6 } = plan.addresses;
  const lines = [
    ...plan.invalid.flatMap(({ file, line, reason }) => [
      bad(`✗ ${file}:${line} ${reason.code}`),
      ...reasonText(reason),
    ]),
    ...plan.pools.flatMap((pool) => [describePool(pool, bold), ...describeBlocked(pool)]),
    ...plan.skipped.map((object) => `${object}: not an IPAddressPool, skipped`),
    ...plan.rejected.flatMap((reason) => [
      bad(`✗ ${reason.object} would be rejected: ${reason.code}`),
      ...reasonText(reason),
    ]),
    ...plan.restored.map((name) => `IPAddressPool ${name} would be usable again`),
    ...listAddresses(
      "in use would be outside every pool (Services keep such an address until they request another)",
      plan.outside,
      bad,
    ),
    ...listAddresses("of nodes would be removed from Services, which keep their other addresses", plan.leaving, bad),
    ...listAddresses("in use would belong to another pool", plan.moved, bold),
    `Addresses in usable pools: IPv4 +${IPv4.added} -${IPv4.removed}, IPv6 +${IPv6.added} -${IPv6.removed}`,
    "",
    conclude(plan, palette),
  ];
  return `${lines.join("\n")}\n`;
}

function describePool({ name, change, before, after }: PoolChange, bold: Palette["bold"]): string {
  const count = (family: "IPv4" | "IPv6"): string =>
    before === undefined || before[family] === after[family] ? after[family] : `${before[family]} → ${after[family]}`;
  return `IPAddressPool ${bold(name)}: ${change}, IPv4 ${count("IPv4")}, IPv6 ${count("IPv6")}`;
}

function describeBlocked({ blocked }: PoolChange): readonly string[] {
  if (blocked.length === 0) return [];
  return [
    `    not assigned, because something else uses them: ${listSome(blocked, listed)} (bellhop explain address says what)`,
  ];
}

function listAddresses(
  what: string,
  addresses: readonly AffectedAddress[],
  paint: (text: string) => string,
): readonly string[] {
  if (addresses.length === 0) return [];
  const shown = addresses.slice(0, listed).map(({ address, services, from, to }) => {
    const whose = services.length === 0 ? "reserved" : services.join(", ");
    return `    ${address}  ${whose}  (${from ?? "no pool"} → ${to ?? "no pool"})`;
  });
  const more = addresses.length - shown.length;
  return [
    paint(`${addresses.length} ${addresses.length === 1 ? "address" : "addresses"} ${what}:`),
    ...shown,
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

function conclude(plan: PoolsPlan, { bold, good, bad }: Palette): string {
  const { harmless, invalid, rejected, outside, leaving } = plan;
  if (plan.pools.length === 0 && invalid.length === 0)
    return bold("There is no IPAddressPool in the files, so nothing has been checked.");
  if (harmless)
    return good(
      bold("✓ No pool would be rejected, and every address in use stays in a pool. Nothing has been changed yet."),
    );
  const parts = [
    ...(invalid.length > 0 ? [`${countOf(invalid.length, "error", "errors")} in the files`] : []),
    ...(rejected.length > 0 ? [`${countOf(rejected.length, "pool", "pools")} would be rejected`] : []),
    ...(outside.length > 0
      ? [`${countOf(outside.length, "address", "addresses")} in use would be outside every pool`]
      : []),
    ...(leaving.length > 0
      ? [`${countOf(leaving.length, "address", "addresses")} would be removed from Services`]
      : []),
  ];
  return bad(bold(`✗ Do not apply this as it is: ${parts.join(", ")}. Nothing has been changed.`));
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
