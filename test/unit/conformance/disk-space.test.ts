import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkDiskSpace } from "../../conformance/disk-space.ts";

test("a folder with too little room is named, even where it does not exist yet", () => {
  const folder = join(tmpdir(), "bellhop-not-there/labs");
  assert.throws(() => checkDiskSpace([folder], 2 ** 80), {
    code: "disk-full",
    message: new RegExp(
      `^${folder} has [\\d.]+ GiB free, and a run needs [\\d.]+ GiB there: make room, or set BELLHOP_CACHE`,
    ),
  });
});

test("folders with enough room pass", () => checkDiskSpace([tmpdir(), "/"], 1));
