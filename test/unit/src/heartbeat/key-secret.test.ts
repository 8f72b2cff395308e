import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { HeartbeatKey } from "../../../../src/heartbeat/heartbeat-key.ts";
import { readKeySecret } from "../../../../src/heartbeat/key-secret.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const secret = (data: unknown) => ({ metadata: { namespace: "bellhop-system" }, data });

function faultOf(data: unknown): string {
  const read = readKeySecret(secret(data));
  return "fault" in read ? read.fault : assert.fail("it can be used");
}

test("a Secret with one key, and with two", () => {
  const one = readKeySecret(secret({ current: base64(key(1)) }));
  assert.ok("current" in one);
  assert.deepEqual([one.current.exportBytes(), one.previous], [key(1), undefined]);
  const two = readKeySecret(secret({ current: base64(key(2)), previous: base64(key(1)), other: "kept" }));
  assert.ok("current" in two);
  assert.deepEqual([two.current.exportBytes(), two.previous?.exportBytes()], [key(2), key(1)]);
});

test("a former key that is the present one is none", () => {
  const read = readKeySecret(secret({ current: base64(key(1)), previous: base64(key(1)) }));
  assert.ok("current" in read);
  assert.equal(read.previous, undefined);
});

describe("a Secret that cannot be used is named, with the field and the cure", () => {
  const object = "Secret bellhop-system/bellhop-heartbeat: ";
  const again = "Delete the Secret: the controller creates it again within a minute.";
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["without content", undefined, `data.current is missing, and must be 32 random bytes. ${again}`],
    ["without a key", {}, `data.current is missing, and must be 32 random bytes. ${again}`],
    [
      "with a short key",
      { current: base64(key(1).subarray(1)) },
      `data.current has 31 bytes, and must be 32 random bytes. ${again}`,
    ],
    ["with an empty key", { current: "" }, `data.current has 0 bytes, and must be 32 random bytes. ${again}`],
    [
      "with text that is not base64",
      { current: "p@ssword" },
      `data.current is not a key, and must be 32 random bytes. ${again}`,
    ],
    ["with a number", { current: 7 }, `data.current is not a key, and must be 32 random bytes. ${again}`],
    [
      "with a former key of another length",
      { current: base64(key(1)), previous: "AAAA" },
      "data.previous has 3 bytes, and must be 32 random bytes. Remove data.previous.",
    ],
  ];
  for (const [name, data, text] of cases) test(name, () => assert.equal(faultOf(data), object + text));
});

test("no fault contains what is in the Secret, and none is thrown", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 9, maxLength: 60 }), fc.constantFrom("current", "previous"), (text, field) => {
      const data = { current: base64(key(1)), [field]: text };
      const read = readKeySecret(secret(data));
      if ("fault" in read) assert.ok(!read.fault.includes(text));
    }),
  );
  for (const raw of [undefined, null, 1, "x", {}, { data: null }, { metadata: null, data: [] }]) {
    assert.ok("fault" in readKeySecret(raw), String(raw));
  }
});

test("a key shows its id and not its bytes, however it is printed", () => {
  const bytes = randomBytes(32);
  const shown = new HeartbeatKey(bytes);
  for (const text of [inspect(shown, { depth: 9, showHidden: true }), JSON.stringify(shown), String(shown)]) {
    assert.ok(!text.includes(bytes.toString("hex").slice(0, 8)) && !text.includes(`${bytes[0]},`), text);
  }
  assert.equal(new HeartbeatKey(bytes).id, shown.id);
  assert.notEqual(new HeartbeatKey(key(1)).id, new HeartbeatKey(key(2)).id);
});
