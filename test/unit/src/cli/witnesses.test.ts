import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createProgram } from "../../../../src/cli/program.ts";
import { speakerSettingsSchema } from "../../../../src/settings/speaker-settings.ts";

const speaker = createProgram().commands.find((one) => one.name() === "speaker");
const option = speaker?.options.find(({ long }) => long === "--witnesses");

function parse(text: string): unknown {
  assert.ok(option?.parseArg !== undefined);
  return option.parseArg(text, undefined);
}

describe("the witnesses of a speaker", () => {
  test("are addresses of both families, which the settings accept", () => {
    const witnesses = parse("192.0.2.9, 2001:db8::9");
    assert.deepEqual(witnesses, ["192.0.2.9", "2001:db8::9"]);
    assert.deepEqual(speakerSettingsSchema.parse({ node: "n1", namespace: "a", witnesses }).witnesses, witnesses);
    assert.deepEqual(speakerSettingsSchema.parse({ node: "n1", namespace: "a" }).witnesses, []);
  });

  for (const [text, part] of [
    ["", '""'],
    ["192.0.2.9,", '""'],
    ["192.0.2.9,switch.example", '"switch.example"'],
    ["192.0.2.0/24", '"192.0.2.0/24"'],
    ["192.0.2.300", '"192.0.2.300"'],
  ] as const) {
    test(`${JSON.stringify(text)} is refused, and the bad part is named`, () => {
      assert.throws(
        () => parse(text),
        (error: Error) => error.message.startsWith(`${part} is not an IP address`),
      );
    });
  }

  test("more than eight are refused", () => {
    const nine = Array.from({ length: 9 }, (_, index) => `192.0.2.${index + 1}`);
    assert.throws(() => parse(nine.join()), { message: "Write at most 8 addresses." });
    assert.throws(() => speakerSettingsSchema.parse({ node: "n1", namespace: "a", witnesses: nine }));
  });
});
