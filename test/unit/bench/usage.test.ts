import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { mistakeIn, usageIn } from "../../bench/usage.ts";
import { wholeNumber } from "../../lab/whole-number.ts";

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

  for (const name of names) {
    test(`${name} reads its numbers by wholeNumber, which refuses a typing error`, () => {
      const source = readFileSync(join(folder, `${name}.ts`), "utf8");
      assert.doesNotMatch(source, /\bNumber\((options|positionals|process\.argv)\b|process\.argv.*\bmap\(Number\)/);
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
    ["a value that looks like an option", ["--trials", "-1"], /^Option '--trials' argument is ambiguous$/],
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

  test("a mistyped number is named with what is allowed", () => {
    let mistake: string | undefined;
    try {
      wholeNumber("--trials", "ten", { from: 1, to: 20 });
    } catch (error) {
      mistake = mistakeIn(error);
    }
    assert.equal(mistake, '--trials is "ten": write a whole number from 1 to 20');
  });

  test("another error is none", () => assert.equal(mistakeIn(new TypeError("x is not a function")), undefined));
});
