import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { celText } from "../../../docs/generate/cel-text.ts";
import { folder, generatePages } from "../../../docs/generate/pages.ts";
import { reasonCodes } from "../../../src/model/reason.ts";

const root = join(import.meta.dirname, "../../..");
const pages = generatePages();

function page(name: string): string {
  return pages.get(name) ?? assert.fail(`there is no page ${name}`);
}

/** What the first group of the pattern finds in the product's source, each once. */
function namesInSource(pattern: RegExp): readonly string[] {
  const files = globSync("{src,controller,speaker}/**/*.ts", { cwd: root });
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = ""]) => name)))];
}

describe("docs/reference", () => {
  for (const [name, text] of pages) {
    test(`${name} is as its generator makes it`, () => {
      assert.equal(readFileSync(new URL(name, folder), "utf8"), text, "run: npm run docs");
    });
  }

  test("there are no other pages", () => assert.deepEqual(readdirSync(folder).sort(), [...pages.keys()].sort()));

  test("reasons.md has every reason", () => {
    for (const reason of reasonCodes) assert.ok(page("reasons.md").includes(`\n### ${reason}\n`), reason);
  });

  test("metrics.md has every metric whose name is in the source", () => {
    const names = namesInSource(/"(bellhop_[a-z0-9_]+)"/g);
    assert.ok(names.length > 30, String(names));
    for (const name of names) assert.ok(page("metrics.md").includes(`| \`${name}\` |`), name);
  });

  test("annotations.md has every annotation, label and other qualified name that the source exports", () => {
    const names = namesInSource(/^export const \w+ = "([a-z.]+\.[a-z]+\/[A-Za-z-]+)";/gm);
    assert.ok(names.length > 10, String(names));
    for (const name of names) assert.ok(page("annotations.md").includes(`\`${name}\``), name);
  });
});

describe("the text of a CEL message", () => {
  for (const [expression, text] of [
    [`"plain"`, "plain"],
    [`"'" + self + "' is wrong"`, "'{value}' is wrong"],
    [`"name " + self.metadata.name + " and \\"+\\""`, 'name {metadata.name} and "+"'],
  ] as const) {
    test(`${expression} reads ${text}`, () => assert.equal(celText(expression), text));
  }

  test("any other expression is refused", () => {
    for (const expression of ["self + 1", 'string(self) + ""', '"a" "b"'])
      assert.throws(() => celText(expression), TypeError);
  });
});
