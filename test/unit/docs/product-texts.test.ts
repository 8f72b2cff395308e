import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { generatePages } from "../../../docs/generate/pages.ts";
import { bannedIn } from "./banned-words.ts";
import { proseBlocks } from "./markdown-prose.ts";

const root = join(import.meta.dirname, "../../..");

/** Fakes are part of the rooms, but no user runs them. */
const sources = globSync("{controller,speaker,src,deploy/crds,docs/generate}/**/*.ts", { cwd: root }).filter(
  (file) => !/\bfake-/.test(file),
);

/** The lines of code with a text in them; comments and imports are left out. */
function linesWithTexts(code: string): readonly string[] {
  return code
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/ .*$/gm, "")
    .split("\n")
    .filter((line) => /["`]/.test(line) && !/^\s*(?:import|export) .* from "|^} from "/.test(line));
}

describe("texts of the product", () => {
  test("there are files to look at", () => assert.ok(sources.length > 150, String(sources.length)));

  for (const file of sources) {
    test(`${file} has no banned wording in a text`, () => {
      const lines = linesWithTexts(readFileSync(join(root, file), "utf8"));
      assert.deepEqual(
        lines.flatMap((line) => bannedIn(line).map((found) => `${line.trim()}: ${found}`)),
        [],
      );
    });
  }
});

describe("texts of the generated pages: metric help, fields, command line, annotations, reasons", () => {
  for (const [file, page] of generatePages()) {
    test(`${file} has no banned wording`, () => {
      assert.deepEqual(
        proseBlocks(page).flatMap(({ text }) => bannedIn(text).map((found) => `${text.slice(0, 200)}: ${found}`)),
        [],
      );
    });
  }
});

describe("the check of texts", () => {
  for (const [name, code, found] of [
    ["a string", `  log.info("made anew");`, 1],
    ["a template", "const text = `made anew`;", 1],
    ["a comment", `/** "anew" */\n// "anew"\nconst one = "again"; // "anew"`, 0],
    ["an import", `import { anew } from "./anew.ts";`, 0],
    ["code without a text", "const anew = 1;", 0],
    ["an address with slashes", `const url = "https://anew";`, 1],
  ] as const) {
    test(name, () => assert.equal(linesWithTexts(code).flatMap(bannedIn).length, found));
  }
});
