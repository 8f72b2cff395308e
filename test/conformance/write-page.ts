import { writeFileSync } from "node:fs";
import { conformancePage } from "./page.ts";
import { type Results, readResults } from "./results.ts";

const file = new URL("../../docs/conformance.md", import.meta.url);

/** Writes docs/conformance.md. */
export function writePage(results: Results): void {
  writeFileSync(file, conformancePage(results));
}

// `npm run docs`: the page again, after a change to its text, from what runs have recorded.
if (import.meta.main) {
  const results = readResults();
  if (results !== undefined) writePage(results);
}
