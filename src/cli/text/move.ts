import type { MoveReport } from "../../../controller/moves/move-address.ts";
import type { Palette } from "./palette.ts";
import { reasonText } from "./reason.ts";

/** Where one address is, for people. Ends with a line break. */
export function renderMove({ address, announcedBy, pinnedTo, owners, reason }: MoveReport, palette: Palette): string {
  const { bold, good, bad } = palette;
  const place = announcedBy === undefined ? "not announced by any node" : `announced by ${bold(announcedBy)}`;
  const others = owners.filter((owner) => owner !== announcedBy);
  const next = others.length === 0 ? "" : `; next ${others.join(", then ")}`;
  const pin =
    pinnedTo === undefined
      ? "It is not pinned to a node."
      : `It is pinned to ${bold(pinnedTo)}; --auto removes the pin.`;
  const state = owners.length === 0 && announcedBy === undefined ? [] : [`${address} is ${place}${next}. ${pin}`];
  if (reason === undefined) return `${good("✓")} ${state.join("")}\n`;
  return `${[bad(bold(`✗ ${reason.code}`)), ...reasonText(reason), ...state].join("\n")}\n`;
}
