import type { AddressPart } from "../../../controller/explain/service/explanation.ts";
import { causeTexts } from "../../api/virtual-ip.ts";
import type { Palette } from "./palette.ts";
import { summarize } from "./summary.ts";

/** One address: where it comes from, who announces it, and whether each node may. */
export function renderClaim(label: string, part: AddressPart, { bold, faint, good, bad }: Palette): readonly string[] {
  const {
    address,
    pool,
    node: ownNode,
    virtualIp,
    owners,
    announcedBy,
    interfaces,
    mac,
    since,
    cause,
    nodes,
    services,
    pinnedTo,
  } = part;
  const from = pool === undefined ? "outside every pool" : `from pool ${pool}`;
  const place = [interfaces.join(", "), mac].filter((text) => text !== undefined && text !== "").join(", MAC ");
  const announcement =
    announcedBy === undefined
      ? bad("not announced by any node")
      : `announced by ${bold(announcedBy)}${place === "" ? "" : ` from ${place}`}${since === undefined ? "" : `, since ${since}`}${describeCause(cause)}`;
  const answeredBy =
    ownNode === undefined ? announcement : `the address of Node ${bold(ownNode)}, which answers for it`;
  const mark = (eligible: boolean): string => (eligible ? good("✓") : bad("✗"));
  const verdict = (eligible: boolean): string => (eligible ? "may announce it" : "cannot announce it");
  const successors = owners.filter((owner) => owner !== announcedBy);
  return [
    `  ${bold(label.padEnd(10))} ${bold(address)} ${from}, VirtualIP ${virtualIp ?? "not created yet"}`,
    `             ${answeredBy}${successors.length === 0 ? "" : `; next ${successors.join(", then ")}`}`,
    ...(pinnedTo === undefined
      ? []
      : [`             pinned to ${pinnedTo} (bellhop move ${address} --auto removes the pin)`]),
    ...(services.length > 1 ? [`             shared by ${services.join(", ")}`] : []),
    ...summarize(nodes, {
      groupOf: ({ eligible, code, departure }) => `${eligible} ${code} ${departure}`,
      nameOf: ({ node }) => node,
      isNotable: ({ node }) => owners.includes(node),
      line: ({ node, eligible, reason }) => `    ${mark(eligible)} ${node} ${verdict(eligible)}: ${faint(reason)}`,
      groupLine: ({ length: count }, { node, eligible, reason }, names) =>
        `    ${mark(eligible)} ${count} nodes ${verdict(eligible)} (such as ${names}); ${node}: ${faint(reason)}`,
    }),
  ];
}

/** A cause that a later version writes is shown as it is. */
function describeCause(cause: string | undefined): string {
  if (cause === undefined) return "";
  return ` (${Object.hasOwn(causeTexts, cause) ? causeTexts[cause as keyof typeof causeTexts] : cause})`;
}
