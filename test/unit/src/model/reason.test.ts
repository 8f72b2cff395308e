import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { annotationField, reasonCodes, reasonMessage, reasonOf } from "../../../../src/model/reason.ts";
import { reasonTable } from "../../../../src/model/reason-table.ts";
import { bannedIn } from "../../docs/banned-words.ts";

/** Ends with one full stop, and has no other mark where a sentence ends. */
const sentences = /^[A-Z{].*[^.]\.$/;

test("a reason that only explain shows is used by explain alone, or by an evaluation that explain prints", () => {
  const root = join(import.meta.dirname, "../../../..");
  const files = globSync("{controller,speaker,src}/**/*.ts", { cwd: root }).filter(
    (file) => !file.includes("model/reason"),
  );
  const wrong = reasonCodes
    .filter((code) => reasonTable[code].shownIn.join() === "bellhop explain")
    .flatMap((code) =>
      files
        .filter((file) => readFileSync(join(root, file), "utf8").includes(`"${code}"`))
        .map((file) => `${code}: ${file}`),
    )
    .filter((entry) => !entry.includes(": controller/explain/") && !entry.endsWith("choose/evaluate-pool.ts"));
  assert.deepEqual(wrong, []);
});

for (const code of reasonCodes) {
  describe(code, () => {
    const { meaning, sentence, cure } = reasonTable[code];
    const subject = { object: "Service shop/web", field: "spec.example", value: "192.0.2.7" };

    test("meaning, sentence and cure are sentences in plain words", () => {
      for (const text of [meaning, sentence, cure]) {
        assert.match(text, sentences);
        assert.doesNotMatch(text, /\.\.| {2}| [.,;:]/);
        assert.deepEqual(bannedIn(text), [], text);
      }
    });

    test("the message names the object, the field, the value and the cure, and leaves no placeholder", () => {
      const message = reasonMessage(reasonOf(code, { ...subject, detail: "It is so." }));
      const names = code === "ManifestInvalid" ? [subject.object] : Object.values(subject);
      const written = code === "PoolEmpty" || code === "BeingDeleted" || code === "ControllerAbsent";
      for (const name of names) {
        // Where the field is not set there is no value to name.
        if (name === subject.value && (written || code === "NoDefaultClass")) continue;
        assert.ok(message.includes(name), `${message} names ${name}`);
      }
      assert.ok(message.endsWith(`It is so. ${cure}`), message);
      assert.doesNotMatch(message, /[{}[\]]/);
    });

    test("the message stays a sentence when the field is not set", () => {
      const message = reasonMessage(reasonOf(code, { object: subject.object, field: "", value: "" }));
      assert.doesNotMatch(message, /[{}[\]]| {2}|undefined/);
      assert.ok(message.endsWith(`. ${cure}`), message);
    });

    test("the message is bounded, even if users write long texts", () => {
      const long = "x".repeat(100_000);
      const message = reasonMessage(reasonOf(code, { object: long, field: long, value: long, detail: long }));
      assert.ok(message.length < 2_000, String(message.length));
    });
  });
}

describe("a value in a message", () => {
  for (const [value, text] of [
    ["192.0.2.7", "192.0.2.7"],
    ["80/TCP, 443/TCP", "80/TCP, 443/TCP"],
    ["app=web,tier=front", "app=web,tier=front"],
    ["", '""'],
    ["two words", '"two words"'],
    ['a "quoted" text\n', '"a \\"quoted\\" text\\n"'],
    ["$& {object}", '"$& {object}"'],
  ] as const) {
    test(`${JSON.stringify(value)} reads ${text}`, () => {
      const { message } = reasonOf("RequestedAddressInvalid", { object: "Service a/b", field: "spec.x", value });
      assert.equal(message, `Service a/b requests ${text} (spec.x), which is not an IP address.`);
    });
  }

  test("an annotation is named as one", () => {
    const field = annotationField("bellhop.dev/ips");
    const { message } = reasonOf("RequestedAddressInvalid", { object: "Service a/b", field, value: "x" });
    assert.equal(message, "Service a/b requests x (annotation bellhop.dev/ips), which is not an IP address.");
  });
});
