import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JsonLines } from "../../../../src/kube/json-lines.ts";
import { ListDecoder, type ListMetadata } from "../../../../src/kube/list-decoder.ts";
import { OversizedObject } from "../../../../src/kube/oversized-object.ts";

interface Decoded {
  readonly items: readonly unknown[];
  readonly metadata: ListMetadata;
}

function decode(bytes: Buffer, cuts: readonly number[], maxBytes?: number, maxText?: number): Decoded {
  const decoder = new ListDecoder(maxBytes, maxText);
  const items = pieces(bytes, cuts).flatMap((piece) => decoder.push(piece));
  return { items, metadata: decoder.finish() };
}

/** The bytes, cut at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

/** Text with all that could be taken for structure, and with characters of more than one byte. */
const text = fc.string({
  unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", "ö", "😀", "<", "items", "\n"),
});
const value = fc.jsonValue({ maxDepth: 4 });
const object = fc.record({
  metadata: fc.record({ name: text, namespace: text, items: fc.array(fc.record({ a: value })) }),
  items: fc.array(fc.record({ b: text })),
  spec: value,
});
const rest = fc.record({ kind: text, other: value, metadata: fc.record({ resourceVersion: text, continue: text }) });
/** From how many bytes on an object is parsed while it arrives. */
const texts = fc.constantFrom(0, 10, 100, 1_000_000);
const cuts = fc.array(fc.nat(), { maxLength: 40 });

describe("a list that arrives in pieces", () => {
  test("gives the objects and the metadata that JSON.parse would, in whatever order its fields come", () => {
    fc.assert(
      fc.property(
        rest,
        fc.array(object),
        fc.boolean(),
        fc.nat(2),
        cuts,
        texts,
        (fields, items, last, indent, places, maxText) => {
          const list = last ? { ...fields, items } : { items, ...fields };
          const bytes = Buffer.from(JSON.stringify(list, undefined, indent));
          const decoded = decode(bytes, places, 1_000_000, maxText);
          assert.deepEqual(decoded.items, JSON.parse(JSON.stringify(items)));
          const { resourceVersion, continue: continueToken } = fields.metadata;
          assert.deepEqual(decoded.metadata, { resourceVersion, continueToken });
        },
      ),
    );
  });

  test("is refused when its end is missing", () => {
    fc.assert(
      fc.property(rest, fc.array(object), fc.nat(), cuts, (fields, items, length, places) => {
        const bytes = Buffer.from(JSON.stringify({ ...fields, items }));
        const part = bytes.subarray(0, length % bytes.length);
        assert.throws(() => decode(part, places), { code: "ApiUnreachable" });
      }),
    );
  });

  for (const wrong of ["", "[]}", '{"items":[{"a":nonsense}]}', "}", '{"items":[{]}']) {
    test(`is refused when it is ${wrong === "" ? "empty" : wrong}`, () => {
      assert.throws(() => decode(Buffer.from(wrong), [2]), { code: "ApiUnreachable" });
    });
  }

  for (const empty of ['{"items":null,"metadata":{"resourceVersion":"7"}}', '{"metadata":{"resourceVersion":"7"}}']) {
    test(`may be without objects: ${empty}`, () => {
      assert.deepEqual(decode(Buffer.from(empty), []), {
        items: [],
        metadata: { resourceVersion: "7", continueToken: "" },
      });
    });
  }

  test("tells which object was too large, and gives all others", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, fc.nat(7), fc.boolean(), text, cuts, (all, which, first, filler, places) => {
        const large = all[which % all.length];
        const items = all.map((name) => {
          const metadata = { namespace: "shop", name, uid: `uid of ${name}`, resourceVersion: "12" };
          const annotations = { filler: filler.repeat(2), long: "x".repeat(name === large ? 2_000 : 1) };
          return { metadata: first ? { ...metadata, annotations } : { annotations, ...metadata } };
        });
        const bytes = Buffer.from(JSON.stringify({ items, metadata: { resourceVersion: "13" } }));
        const decoded = decode(bytes, places, 1_500, 100);
        assert.equal(decoded.metadata.resourceVersion, "13");
        for (const [index, name] of all.entries()) {
          const item = decoded.items[index];
          if (name !== large) assert.deepEqual(item, items[index]);
          else {
            assert.ok(item instanceof OversizedObject);
            assert.deepEqual(item.metadata, { namespace: "shop", name, uid: `uid of ${name}`, resourceVersion: "12" });
            assert.equal(item.bytes, JSON.stringify(items[index]).length + byteExcess(JSON.stringify(items[index])));
          }
        }
      }),
    );
  });
});

function byteExcess(json: string): number {
  return Buffer.byteLength(json) - json.length;
}

test("in a large object very long texts are cut, between two characters", () => {
  const long = fc.array(fc.constantFrom("a", "<", '"', "\\", "ö", "€", "😀", "\n"), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(long, fc.boolean(), cuts, (characters, escaped, places) => {
      const whole = characters.join("").repeat(20_000);
      const json = JSON.stringify({ items: [{ whole, after: "x" }] });
      const text = escaped ? json.replaceAll("<", "\\u003c") : json;
      const [item] = decode(Buffer.from(text), places, 10_000_000, 100).items as { whole: string; after: string }[];
      assert.equal(item?.after, "x");
      assert.ok(whole.startsWith(item.whole.replace(/[\ud800-\udbff]$/, "")));
      assert.ok(Buffer.byteLength(JSON.stringify(item.whole)) <= 65_538 * (escaped ? 1 : 6));
      assert.ok(item.whole.length >= Math.min(whole.length, 10_000));
    }),
    { numRuns: 20 },
  );
});

describe("a watch that arrives in pieces", () => {
  test("gives all events, and of one that is too large its type and which object it is about", () => {
    const type = fc.constantFrom("ADDED", "MODIFIED", "DELETED");
    const event = fc.record({ type, object: fc.record({ metadata: fc.record({ name: text }), spec: value }) });
    fc.assert(
      fc.property(fc.array(event), fc.array(event), cuts, (before, after, places) => {
        const metadata = {
          annotations: { a: "x".repeat(50_000) },
          name: "large",
          namespace: "shop",
          resourceVersion: "9",
        };
        const all = [...before, { type: "MODIFIED", object: { kind: "Service", metadata } }, ...after];
        const lines = new JsonLines(40_000, 100);
        const bytes = Buffer.from(all.map((one) => `${JSON.stringify(one)}\n`).join(""));
        const seen = pieces(bytes, places).flatMap((piece) => [...lines.push(piece)]);
        const large = seen[before.length] as { type: string; object: unknown };
        assert.ok(large.object instanceof OversizedObject);
        assert.equal(large.type, "MODIFIED");
        assert.deepEqual(large.object.metadata, { name: "large", namespace: "shop", resourceVersion: "9" });
        assert.deepEqual(seen.toSpliced(before.length, 1), JSON.parse(JSON.stringify([...before, ...after])));
      }),
    );
  });

  test("a long line that names no object is refused", () => {
    const lines = new JsonLines(100, 50);
    assert.throws(() => [...lines.push(Buffer.from(`{"type":"ADDED","x":"${"y".repeat(200)}"}\n`))], {
      code: "ApiUnreachable",
    });
  });
});
