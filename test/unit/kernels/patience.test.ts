import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";

const module = new URL("../../network/patience.ts", import.meta.url);

function patientlyTen(PATIENCE: string | undefined) {
  const { PATIENCE: _, ...env } = process.env;
  const script = `import { patiently } from ${JSON.stringify(module)}; console.log(patiently(10));`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env: PATIENCE === undefined ? env : { ...env, PATIENCE },
    encoding: "utf8",
  });
}

describe("how long the tests in network namespaces wait", () => {
  for (const [value, expected] of [
    [undefined, "10\n"],
    ["1", "10\n"],
    ["4", "40\n"],
  ] as const) {
    test(`PATIENCE ${value ?? "not set"}`, () => assert.equal(patientlyTen(value).stdout, expected));
  }

  for (const value of ["0.5", "0", "101", "", "much"]) {
    test(`PATIENCE "${value}" is refused, so that no test can be made weaker or endless by it`, () => {
      const { status, stderr } = patientlyTen(value);
      assert.equal(status, 1);
      assert.match(stderr, /PATIENCE is a factor from 1 to 100/);
    });
  }
});
