import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { definitions } from "./kinds.ts";

/** The text of one file under deploy/base/crds; a test holds the committed files against it. */
export function definitionText(definition: Record<string, unknown>): string {
  return `# Made by npm run docs from the zod schemas in src/api; change those.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

if (import.meta.main) {
  for (const [file, definition] of definitions) {
    writeFileSync(new URL(`../base/crds/${file}`, import.meta.url), definitionText(definition));
  }
}
