import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bannedWordings } from "./banned-words.ts";
import { lineAt, proseBlocks, proseLines } from "./markdown-prose.ts";

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

function bannedLines(markdown: string): readonly string[] {
  return proseBlocks(markdown).flatMap((block) =>
    bannedWordings.flatMap(({ pattern, sayInstead }) => {
      const found = pattern.exec(block.text);
      return found === null ? [] : [`line ${lineAt(block, found.index)}: "${found[0]}", say instead: ${sayInstead}`];
    }),
  );
}

describe("prose in Markdown", () => {
  test("there are documents to look at", () => assert.ok(documents.length > 20));

  for (const file of documents) {
    test(`${file} has no line of prose of more than ${longestLine} characters; tables and code may be longer`, () => {
      assert.deepEqual(longLines(readFileSync(join(root, file), "utf8")), []);
    });

    test(`${file} has no wording that CONTRIBUTING bans; code is not looked at`, () => {
      assert.deepEqual(bannedLines(readFileSync(join(root, file), "utf8")), []);
    });
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
        bannedLines(markdown).map((text) => text.split(":")[0]),
        lines,
      );
    });
  }
});
