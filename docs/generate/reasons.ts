import { type ReasonCode, reasonCodes, reasonOf } from "../../src/model/reason.ts";
import { generatedFrom, wrap } from "./markdown.ts";

/** What a code is about, by how it begins; the order of the chapters. */
const chapters: readonly (readonly [string, RegExp])[] = [
  ["Addresses that a Service asks for", /^Requested/],
  ["Addresses that several Services have together", /^Sharing/],
  ["Pools", /^(No)?Pool/],
  ["All else", /./],
];

const head = `# Why not: every reason, what it means and its cure

${generatedFrom("src/model/reason.ts")}

Whatever Bellhop refuses it refuses for one of these reasons. The code is the reason of an event and of a condition
(\`bellhop.dev/AddressReady\` on Services, \`Ready\` on IPAddressPools, \`Announceable\` on VirtualIPs), and the label \`reason\` of the
metrics \`bellhop_services_pending\` and \`bellhop_refusals_total\`. Messages name the object, the field, the value that stands there,
what is wrong with it (the text below, often with more detail) and the cure.
`;

/** The whole of docs/reference/reasons.md. */
export function reasonsPage(): string {
  const left = new Set<ReasonCode>(reasonCodes);
  const parts = chapters.map(([title, pattern]) => {
    const codes = [...left].filter((code) => pattern.test(code));
    for (const code of codes) left.delete(code);
    return codes.length === 0 ? "" : `\n## ${title}\n${codes.map(entry).join("")}`;
  });
  return `${head}${parts.join("")}`;
}

function entry(code: ReasonCode): string {
  const { problem, cure } = reasonOf(code, { object: "", field: "", value: "" });
  return `\n### ${code}\n\n${wrap(`Meaning: what stands there ${problem}.`)}\n\n${wrap(`Cure: ${cure}`)}\n`;
}
