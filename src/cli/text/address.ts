import type { AddressExplanation } from "../../../controller/explain/address/explanation.ts";
import { renderClaim } from "./claim.ts";
import type { Palette } from "./palette.ts";

/** The explanation for people. Ends with a line break. */
export function renderAddress(explanation: AddressExplanation, palette: Palette): string {
  const { address, pool, poolNotes, claim, services, requestedBy, state, conclusion } = explanation;
  const { bold, good, bad } = palette;
  const paint = state === "free" || state === "assigned" ? good : bad;
  const lines = [
    bold(`Address ${address}`),
    "",
    `  Pool       ${pool ?? "no usable pool"}`,
    ...poolNotes.map((note) => `             ${note}`),
    ...(services.length === 0 ? [] : [`  Services   ${services.join(", ")}`]),
    ...(claim === undefined ? [] : renderClaim("Claim", claim, palette)),
    ...(requestedBy.length === 0 ? [] : [`  Requested  by ${requestedBy.join(", ")} (not assigned)`]),
    "",
    paint(bold(conclusion)),
  ];
  return `${lines.join("\n")}\n`;
}
