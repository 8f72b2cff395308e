import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const root = join(import.meta.dirname, "../../..");
const pages = globSync(["*.md", "{.github,controller,deploy,docs,speaker,src,test}/**/*.md"], { cwd: root });
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

function commandsIn(page: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(join(root, page), "utf8").matchAll(pattern)].map(([, name = ""]) => name);
}

test("each file that the hook, the workflow and the npm scripts name exists", () => {
  const named = [".githooks/pre-commit", ".github/workflows/ci.yml", "package.json", ".ci/run"].flatMap((file) => {
    const paths = readFileSync(join(root, file), "utf8").matchAll(
      /\b(?:test|docs|deploy|src)\/[\w./*-]+\.(?:ts|mjs|sh)\b/g,
    );
    return [...paths].map(([path]) => `${file}: ${path}`);
  });
  assert.ok(named.length > 8, String(named));
  const missing = named.filter((entry) => globSync(entry.slice(entry.indexOf(": ") + 2), { cwd: root }).length === 0);
  assert.deepEqual(missing, []);
});

describe("commands that the documents name", () => {
  test("each npm script exists", () => {
    const wrong = pages.flatMap((page) => {
      const names = commandsIn(page, /\bnpm run (?:-s |--silent )?([a-z][a-z:]*)/g);
      return names.filter((name) => scripts[name] === undefined).map((name) => `${page}: npm run ${name}`);
    });
    assert.deepEqual(wrong, []);
  });

  test("each bench exists, and npm run bench knows it", () => {
    const names = pages.flatMap((page) => commandsIn(page, /\bnpm run bench -- ([a-z-]+)/g));
    assert.ok(names.length > 3, String(names));
    const main = readFileSync(join(root, "test/bench/main.ts"), "utf8");
    for (const name of names) {
      assert.ok(existsSync(join(root, `test/bench/${name}.ts`)), name);
      assert.ok(main.includes(`import("./${name}.ts")`), name);
    }
  });

  // The README requires a Node that is too old for TypeScript. npm scripts use the one that comes with the packages.
  test("no document runs TypeScript by the user's own node", () => {
    const wrong = pages.flatMap((page) =>
      commandsIn(page, /(?<!bin\/)\bnode (?:-\S+ )*'?([\w/.*-]+\.ts)/g).map((file) => `${page}: node ${file}`),
    );
    assert.deepEqual(wrong, []);
  });
});
