import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../../../../src/cli/program.ts";

function command(name: string): Command {
  const found = createProgram().commands.find((one) => one.name() === name);
  assert.ok(found !== undefined);
  return found;
}

const bad = ["", " ", "abc", "-1", "1.5", "1e3", "0x10", "99999999999999999999"];

describe("an option whose value is a number", () => {
  for (const program of ["controller", "speaker"]) {
    for (const option of command(program).options.filter(({ flags }) =>
      /<(number|port|seconds|milliseconds)>/.test(flags),
    )) {
      const parse = option.parseArg;
      test(`${program} ${option.long} accepts its default`, () => {
        assert.equal(parse?.(String(option.defaultValue), undefined), option.defaultValue);
      });
      for (const text of bad) {
        test(`${program} ${option.long} refuses ${JSON.stringify(text)}`, () => {
          assert.throws(() => parse?.(text, undefined), { code: "commander.invalidArgument" });
        });
      }
    }
  }

  const outOfRange: readonly (readonly [string, string, string])[] = [
    ["controller", "--http-port", "65536"],
    ["controller", "--workers", "0"],
    ["controller", "--peers-per-node", "1"],
    ["speaker", "--kube-proxy-delay-seconds", "3601"],
    ["speaker", "--resync-seconds", "9"],
  ];
  for (const [program, long, text] of outOfRange) {
    test(`${program} ${long} refuses ${text}, which the settings do not allow`, () => {
      const option = command(program).options.find((one) => one.long === long);
      assert.throws(() => option?.parseArg?.(text, undefined), { code: "commander.invalidArgument" });
    });
  }
});
