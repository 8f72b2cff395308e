import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { mistakeIn, usageIn } from "../../bench/usage.ts";

const folder = join(import.meta.dirname, "../../bench");
const readme = readFileSync(join(folder, "README.md"), "utf8");
const names = [...readme.matchAll(/^ {4}npm run bench -- (\S+)/gm)].map(([, name]) => name ?? "");

describe("the usage of a bench", () => {
  test("the README lists benches", () => assert.ok(names.length > 0));

  for (const name of names) {
    test(`${name} says how it is run`, () => {
      const usage = usageIn(readFileSync(join(folder, `${name}.ts`), "utf8")) ?? "";
      assert.ok(usage.includes(`npm run bench -- ${name}`), usage);
      assert.doesNotMatch(usage, /^\s*\*|\*\/|\/\*/m);
    });
  }

  test("is the comment that names the command", () => {
    const source =
      "/** One. */\nconst a = 1;\n\n/**\n * Two: `npm run bench -- two`.\n *\n * - `part`: three.\n */\nconst b = 2;\n";
    assert.equal(usageIn(source), "Two: `npm run bench -- two`.\n\n- `part`: three.");
    assert.equal(usageIn("/** One. */\n"), undefined);
  });
});

describe("a mistake in the command line of a bench", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["an unknown option", ["--unknown"], /^Unknown option '--unknown'$/],
    ["an option without its value", ["--trials"], /^Option '--trials <value>' argument missing$/],
    ["an argument where none is expected", ["7"], /^Unexpected argument '7'/],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name} is named in one line`, () => {
      let mistake: string | undefined;
      try {
        parseArgs({ args: [...args], options: { trials: { type: "string" } } });
      } catch (error) {
        mistake = mistakeIn(error);
      }
      assert.match(mistake ?? "", expected);
      assert.doesNotMatch(mistake ?? "", /\n/);
    });
  }

  test("another error is none", () => assert.equal(mistakeIn(new TypeError("x is not a function")), undefined));
});
