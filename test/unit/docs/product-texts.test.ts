import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { generatePages } from "../../../docs/generate/pages.ts";
import { bannedIn, bannedLinesIn } from "./banned-words.ts";
import { commentsOf, testTitlesOf, textLinesOf } from "./code-texts.ts";
import { proseBlocks } from "./markdown-prose.ts";

const root = join(import.meta.dirname, "../../..");

/** Fakes are part of the rooms, but no user runs them. */
const sources = globSync("{controller,speaker,src,deploy/crds,docs/generate}/**/*.ts", { cwd: root }).filter(
  (file) => !/\bfake-/.test(file),
);

describe("texts of the product", () => {
  test("there are files to look at", () => assert.ok(sources.length > 150, String(sources.length)));

  for (const file of sources) {
    test(`${file} has no banned wording in a text`, () => {
      assert.deepEqual(bannedLinesIn(textLinesOf(readFileSync(join(root, file), "utf8"))), []);
    });
  }
});

describe("comments of the product", () => {
  for (const file of globSync("{controller,deploy,docs/generate,speaker,src}/**/*.ts", { cwd: root })) {
    test(`${file} has no banned wording in a comment`, () => {
      assert.deepEqual(bannedLinesIn(commentsOf(readFileSync(join(root, file), "utf8"))), []);
    });
  }
});

describe("titles of tests", () => {
  // Those in docs are about banned wordings.
  for (const file of globSync("test/**/*.ts", { cwd: root }).filter((name) => !name.startsWith("test/unit/docs/"))) {
    test(`${file} has no banned wording in a title`, () => {
      assert.deepEqual(bannedLinesIn(testTitlesOf(readFileSync(join(root, file), "utf8"))), []);
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
    test(name, () => assert.equal(bannedLinesIn(textLinesOf(code)).length, found));
  }
});

describe("the check of comments", () => {
  for (const [name, code, found] of [
    ["a comment on one line", "/** Made anew. */", ["line 1"]],
    ["a block comment", "\n/**\n * Asks\n * for an address. Made\n * anew.\n */", ["line 3", "line 5"]],
    ["line comments", "  // asks\n  // for\nconst one = 1; // anew", ["line 1", "line 3"]],
    ["code in a comment", "/** `anew` */", []],
    ["code and a text", 'const anew = "anew";', []],
    ["an address with slashes", 'const url = "https://anew";', []],
  ] as const) {
    test(name, () => {
      const lines = bannedLinesIn(commentsOf(code)).map((text) => text.split(":")[0] ?? "");
      assert.deepEqual(lines.sort(), found);
    });
  }
});

describe("the check of titles", () => {
  for (const [name, code, found] of [
    ["a test", 'test("made anew", () => {});', ["line 1"]],
    ["a template on a line of its own", "describe(\n  `made anew ${" + "name}`,", ["line 1"]],
    ["the name of a case", '\n{ name: "made anew", found: 1 }', ["line 2"]],
    ["the name of an object", '{ name: "anew" }', []],
    ["other texts", 'assert.equal(text, "made anew");', []],
  ] as const) {
    test(name, () => {
      const lines = bannedLinesIn(testTitlesOf(code)).map((text) => text.split(":")[0]);
      assert.deepEqual(lines, found);
    });
  }
});
