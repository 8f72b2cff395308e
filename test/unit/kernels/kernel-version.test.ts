import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOlderThan } from "../../network/kernel-version.ts";

describe("whether a kernel is older than 6.18", () => {
  const cases = [
    ["5.10.0-32-amd64", true],
    ["6.1.0-50-amd64", true],
    ["6.12.117+deb13-amd64", true],
    ["6.18.44-fc-v657", false],
    ["6.18-rc1", false],
    ["7.0.0", false],
  ] as const;
  for (const [release, older] of cases) {
    test(`${release}: ${older}`, () => assert.equal(isOlderThan(6, 18, release), older));
  }

  test("without a version it is refused", () => assert.throws(() => isOlderThan(6, 18, "linux")));
});
