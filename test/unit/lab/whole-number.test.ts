import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidArgumentError } from "commander";
import { wholeNumber, wholeNumberParser } from "../../lab/whole-number.ts";

const range = { from: 2, to: 100 };

const good: readonly (readonly [string, number])[] = [
  ["2", 2],
  ["100", 100],
  ["007", 7],
];
const bad: readonly string[] = ["ten", "", " ", "1", "101", "-3", "2.5", "1e1", "0x10", "10,000", "10 ", "5s", "NaN"];

describe("a whole number on a command line", () => {
  for (const [text, number] of good) {
    test(`${JSON.stringify(text)} is ${number}`, () => {
      assert.equal(wholeNumber("--trials", text, range), number);
      assert.equal(wholeNumberParser(range)(text), number);
    });
  }

  for (const text of bad) {
    test(`${JSON.stringify(text)} is refused with its name, itself and what is allowed`, () => {
      assert.throws(
        () => wholeNumber("--trials", text, range),
        new InvalidArgumentError(`--trials is ${JSON.stringify(text)}: write a whole number from 2 to 100`),
      );
      assert.throws(
        () => wholeNumberParser(range)(text),
        new InvalidArgumentError("Write a whole number from 2 to 100."),
      );
    });
  }

  test("a text of several lines is refused in one", () => {
    assert.throws(
      () => wholeNumber("count", "1\n2", range),
      new InvalidArgumentError('count is "1\\n2": write a whole number from 2 to 100'),
    );
  });
});
