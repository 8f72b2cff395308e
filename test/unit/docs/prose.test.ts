import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bannedIn, bannedLinesIn } from "./banned-words.ts";
import { proseBlocks, proseLines } from "./markdown-prose.ts";

const root = join(import.meta.dirname, "../../..");
const longestLine = 160;

/** Every document that people write. The generators of docs/reference wrap their own lines. */
const documents = globSync(["*.md", "{.github,controller,deploy,docs,speaker,src,test}/**/*.md"], {
  cwd: root,
}).filter((file) => !file.startsWith("docs/reference/"));

function longLines(markdown: string): readonly string[] {
  return proseLines(markdown).flatMap((line, index) =>
    line.length <= longestLine || line.trimStart().startsWith("|")
      ? []
      : [`line ${index + 1}: ${line.length} characters`],
  );
}

describe("prose in Markdown", () => {
  test("there are documents to look at", () => assert.ok(documents.length > 20));

  for (const file of documents) {
    test(`${file} has no line of prose of more than ${longestLine} characters; tables and code may be longer`, () => {
      assert.deepEqual(longLines(readFileSync(join(root, file), "utf8")), []);
    });

    test(`${file} has no wording that CONTRIBUTING bans; code is not looked at`, () => {
      assert.deepEqual(bannedLinesIn(proseBlocks(readFileSync(join(root, file), "utf8"))), []);
    });
  }
});

/** The code spans in the last column of the tables under the heading. */
function doNotWrite(markdown: string, heading: string): readonly string[] {
  const [section = ""] = markdown.split(`\n## ${heading}\n`)[1]?.split("\n## ") ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.flatMap((row) => [...(row.split("|").at(-2) ?? "").matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text));
}

describe("CONTRIBUTING bans only what the checks find", () => {
  for (const heading of ["English", "Words"]) {
    const texts = doNotWrite(readFileSync(join(root, "CONTRIBUTING.md"), "utf8"), heading);
    test(`${heading}: there are entries`, () => assert.ok(texts.length > 5, String(texts)));
    for (const text of texts) test(`${heading}: ${text}`, () => assert.notDeepEqual(bannedIn(text), []));
  }
});

describe("the checks of prose", () => {
  const long = "word ".repeat(40);

  for (const [name, markdown, found] of [
    ["prose", `# Title\n\n${long}\n`, ["line 3: 200 characters"]],
    ["a list item", `- ${long}`, ["line 1: 202 characters"]],
    ["a row of a table", `| a |\n| --- |\n| ${long} |`, []],
    ["console output", `\`\`\`console\n${long}\n\`\`\`\n\n    ${long}`, []],
    ["prose after console output", `\`\`\`\n\`\`\`\n${long}`, ["line 3: 200 characters"]],
  ] as const) {
    test(`a long line: ${name}`, () => assert.deepEqual(longLines(markdown), found));
  }

  for (const [name, markdown, lines] of [
    ["prose", "# Title\n\nAll is made anew.", ["line 3"]],
    ["words on two lines", "A Service may ask\nfor an address.", ["line 1"]],
    ["the second line of a list item", "- one\n- two\n  made anew", ["line 3"]],
    ["a table", "| a |\n| --- |\n| anew |", ["line 3"]],
    ["code", "`anew` [link](anew.md)\n\n    anew\n\n```\nanew\n```", []],
    ["words of two list items", "- what to ask\n- for whom", []],
  ] as const) {
    test(`a banned wording: ${name}`, () => {
      assert.deepEqual(
        bannedLinesIn(proseBlocks(markdown)).map((text) => text.split(":")[0]),
        lines,
      );
    });
  }
});
