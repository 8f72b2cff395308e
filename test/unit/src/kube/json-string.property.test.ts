import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonStringScanner } from "../../../../src/kube/json-string.ts";

test("a JSON string ends at the same quotation mark, however it is cut into chunks", () => {
  const text = fc.string({ unit: fc.constantFrom('"', "\\", "a", "\n", "é", "😀") });
  fc.assert(
    fc.property(text, fc.array(fc.nat(20), { maxLength: 8 }), (content, sizes) => {
      const bytes = Buffer.from(`${JSON.stringify(content)}, "next"`);
      const expected = Buffer.byteLength(JSON.stringify(content));
      const scanner = new JsonStringScanner();
      // After the first quotation mark.
      let at = 1;
      for (const size of [...sizes, bytes.length]) {
        if (scanner.ended) break;
        const chunk = bytes.subarray(0, at + size);
        at = scanner.scan(chunk, at);
      }
      assert.equal(scanner.ended, true);
      assert.equal(at, expected);
      assert.ok(scanner.scan(bytes, bytes.indexOf('"next') + 1) === bytes.length, "and the next one can be scanned");
    }),
  );
});
