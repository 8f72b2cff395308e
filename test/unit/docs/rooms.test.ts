import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");

/** Folders of the second level that have files, such as src/ip. */
function listRooms(): readonly string[] {
  // Files and not folders: one that a branch has left behind may be empty.
  const files = globSync("{controller,speaker,src,deploy,docs,test}/*/**/*.*", { cwd: root });
  return [...new Set(files.map((file) => file.split("/").slice(0, 2).join("/")))].sort();
}

test("each room has a README: write half a page on what flows in and out, and what others may rely on", () => {
  // Generated pages; docs/README.md is their map.
  const without = listRooms().filter((room) => room !== "docs/reference" && !existsSync(join(root, room, "README.md")));
  assert.deepEqual(without, []);
});

test("the table of CONTRIBUTING names each room, and only rooms that exist", () => {
  const rows = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(/^\| `([a-z0-9-]+\/[a-z0-9-]+)` \|/gm);
  const named = [...rows].map(([, room = ""]) => room);
  assert.deepEqual(named.toSorted(), listRooms(), "add or remove rows in the table of rooms in CONTRIBUTING.md");
});
