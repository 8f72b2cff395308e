import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");

test("the table of CONTRIBUTING names each room, and only rooms that exist", () => {
  const rows = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(/^\| `([a-z0-9-]+\/[a-z0-9-]+)` \|/gm);
  const named = [...rows].map(([, room = ""]) => room);
  // Files and not folders: one that a branch has left behind may be empty.
  const files = globSync("{controller,speaker,src,deploy,docs,test}/*/**/*.*", { cwd: root });
  const rooms = new Set(files.map((file) => file.split("/").slice(0, 2).join("/")));
  assert.deepEqual(named.toSorted(), [...rooms].sort());
});
