import { type ReasonCode, reasonCodes } from "../../src/model/reason.ts";
import { reasonTable } from "../../src/model/reason-table.ts";
import { generatedFrom, wrap } from "./markdown.ts";

/** What a code is about, by how it begins; the order of the chapters. */
const chapters: readonly (readonly [string, RegExp])[] = [
  ["Requested addresses", /^Requested/],
  ["Shared addresses", /^Sharing/],
  ["Pools", /^(No)?Pool/],
  ["Other reasons", /./],
];

const head = `# Reasons: what they mean, and what to do

${generatedFrom("src/model/reason-table.ts")}

When Bellhop refuses something, or finds what keeps packets from a Service, it gives one of these reasons. Each says where you meet it:

- on a **Service**: the code is the reason of a Warning event and of the condition \`bellhop.dev/AddressReady\`, and the label \`reason\` of the
  metrics \`bellhop_services_pending\` and \`bellhop_refusals_total\`. \`bellhop explain service\` shows it too;
- on a **VirtualIP**: the reason of an event, and of the condition \`Announceable\`, \`InPool\` or \`RulesWritten\`;
- on an **IPAddressPool**: the reason of an event, and of the condition \`Ready\` or \`AllInPool\`;
- on an **L2Advertisement**: the reason of an event;
- on a **Speaker**: the reason of a condition (\`kubectl get speaker NODE -o yaml\`), and of a warning in the log of that speaker;
- in the output of **\`bellhop explain\`**, **\`move\`**, **\`drain\`** or **\`pools plan\`** only.

A message names the object, the field and its value, often adds details such as the Service that has an address, and ends with the cure.
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
  const { meaning, sentence, cure, shownIn } = reasonTable[code];
  const places = shownIn.map((place) => (place.includes(" ") ? `\`${place}\`` : place)).join(", ");
  const message = sentence.replaceAll(/[[\]]/g, "").replaceAll(/\{(\w+)\}/g, "*$1*");
  return `\n### ${code}\n\n${wrap(meaning)}\n\n${wrap(`Shown in: ${places}.`)}\n\n${wrap(`Message: ${message}`)}\n\n${wrap(`Cure: ${cure}`)}\n`;
}
