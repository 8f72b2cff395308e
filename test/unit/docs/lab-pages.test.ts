import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { introduction, mistakes, mistakesHead } from "../../docs/mistake-list.ts";
import { clockSteps, faultsHead } from "../../e2e/faults/table.ts";

function read(page: string): string {
  return readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
}

// `npm run docs:lab` writes these pages from a cluster. Only the text around what the cluster answers can be compared without one.
describe("pages that a lab writes have the text of their generator", () => {
  test("faults.md", () => {
    const page = read("faults.md");
    assert.ok(page.startsWith(faultsHead), "the text before the first table differs from test/e2e/faults/table.ts");
    assert.ok(page.endsWith(clockSteps), "the chapter about clocks differs from test/e2e/faults/table.ts");
  });

  test("mistakes.md", () => {
    let rest = read("mistakes.md");
    for (const text of [mistakesHead, ...mistakes.map(introduction)]) {
      const start = rest.indexOf(text);
      assert.ok(start !== -1, `in the page, or in this order, there is no:\n${text}`);
      rest = rest.slice(start + text.length);
    }
  });
});
