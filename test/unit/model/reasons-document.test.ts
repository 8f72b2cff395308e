import assert from "node:assert/strict";
import { test } from "node:test";
import { committedReasons, reasonsDocument } from "../../../docs/generate-reasons.ts";
import { reasonCodes } from "../../../src/model/reason.ts";

test("docs/reasons.md tells every reason, as the table has it", () => {
  const text = committedReasons();
  for (const code of reasonCodes) assert.ok(text.includes(`\n### ${code}\n`), code);
  assert.equal(text, reasonsDocument(), "run: node docs/generate-reasons.ts");
});
