import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";

/** A tree of attributes: a value, or attributes in an attribute. */
interface Tree {
  readonly type: number;
  readonly value: Uint8Array | readonly Tree[];
}

const { tree } = fc.letrec<{ tree: Tree; value: Uint8Array | readonly Tree[] }>((tie) => ({
  tree: fc.record({ type: fc.nat(0x3fff), value: tie("value") }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("tree"), { maxLength: 4 }).filter((trees) => trees.length > 0),
  ),
}));

function write(writer: MessageWriter, { type, value }: Tree): void {
  if (value instanceof Uint8Array) {
    writer.bytes(type, value);
    return;
  }
  const start = writer.beginNested(type);
  for (const inner of value) write(writer, inner);
  writer.endNested(start);
}

/** Reads bytes back in the shape of the tree: netlink itself does not say reliably what is nested. */
function check(attributes: Attributes, trees: readonly Tree[]): void {
  const found = [...attributes];
  assert.deepEqual(
    found.map(({ type }) => type),
    trees.map(({ type }) => type),
  );
  for (const [index, { value }] of trees.entries()) {
    if (value instanceof Uint8Array) assert.deepEqual(Uint8Array.from(found[index]?.value ?? []), value);
    else check(found[index]?.nested() ?? new Attributes(new Uint8Array()), value);
  }
}

describe("MessageWriter", () => {
  test("what is written is read back, whatever the nesting and however small the buffer is at first", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ type: fc.nat(0xffff), sequence: fc.nat(), trees: fc.array(tree, { maxLength: 5 }) }), {
          maxLength: 5,
        }),
        (messages) => {
          const writer = new MessageWriter(1);
          for (const { type, sequence, trees } of messages) {
            const start = writer.beginMessage({ type, flags: 5, sequence });
            for (const each of trees) write(writer, each);
            writer.endMessage(start);
          }
          const read = readMessages(writer.toBytes());
          assert.equal(read.length, messages.length);
          for (const [index, message] of messages.entries()) {
            const found = read[index];
            assert.ok(found !== undefined);
            assert.deepEqual([found.type, found.flags, found.sequence], [message.type, 5, message.sequence]);
            check(new Attributes(found.payload), message.trees);
          }
        },
      ),
    );
  });

  test("what is released is what was written, in a buffer of its length, which another thread can have", () => {
    const writer = new MessageWriter(16);
    for (let type = 1; type <= 100; type++) writer.u32Be(type, type);
    const copied = writer.toBytes();
    const released = writer.release();
    assert.deepEqual(released, copied);
    assert.equal(released.buffer.byteLength, 800);
    assert.equal(structuredClone(released, { transfer: [released.buffer] }).length, 800);
  });

  test("numbers named Be are big-endian, others are in host order, and padding is zero", () => {
    const writer = new MessageWriter();
    writer.raw(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9));
    writer.clear();
    writer.u16Be(1, 0x0102);
    writer.u32Be(2, 0xffff_ff00);
    writer.i32Be(3, -310);
    writer.u64Be(4, 0x0102_0304_0506_0708n);
    writer.text(5, "né");
    writer.u8(6, 7);
    writer.flag(7);
    writer.u32(8, 0x0102_0304);
    writer.u16(9, 0x0102);
    const bytes = writer.toBytes();
    assert.deepEqual([...bytes.subarray(4, 8)], [1, 2, 0, 0]);
    const read = new Attributes(bytes);
    assert.deepEqual([...(read.bytes(2) ?? [])], [0xff, 0xff, 0xff, 0]);
    assert.equal(read.u16Be(1), 0x0102);
    assert.equal(read.u32Be(3), 0x1_0000_0000 - 310);
    assert.equal(read.u64Be(4), 0x0102_0304_0506_0708n);
    assert.equal(read.text(5), "né");
    assert.equal(read.u8(6), 7);
    assert.equal(read.bytes(7)?.length, 0);
    assert.equal(read.u32(8), 0x0102_0304);
    assert.equal(read.u16(9), 0x0102);
    assert.equal(read.u32(10), undefined);
  });

  test("numbers are written where they belong when the buffer grows for them", () => {
    for (const capacity of [16, 17, 20, 24, 28, 32]) {
      const writer = new MessageWriter(capacity);
      for (let type = 1; type <= 200; type++) {
        if (type % 4 === 0) writer.u64Be(type, BigInt(type));
        else if (type % 4 === 1) writer.u32Be(type, type);
        else if (type % 4 === 2) writer.u16(type, type);
        else writer.u8(type, type);
      }
      const read = new Attributes(writer.toBytes());
      for (let type = 1; type <= 200; type++) {
        const found = [() => read.u64Be(type), () => read.u32Be(type), () => read.u16(type), () => read.u8(type)];
        assert.equal(Number(found[type % 4]?.()), type);
      }
    }
  });

  test("an attribute of more than 65,535 bytes is an error and not a wrong length", () => {
    const writer = new MessageWriter();
    assert.throws(() => writer.bytes(1, new Uint8Array(65_532)), RangeError);
    writer.clear();
    const start = writer.beginNested(1);
    for (let count = 0; count < 17; count++) writer.bytes(1, new Uint8Array(4000));
    assert.equal(writer.lengthSince(start), 4 + 17 * 4004);
    assert.throws(() => writer.endNested(start), RangeError);
  });

  test("what was written since a mark can be taken back", () => {
    const writer = new MessageWriter();
    writer.u8(1, 1);
    const before = writer.length;
    writer.u8(2, 2);
    writer.truncate(before);
    assert.deepEqual(
      [...new Attributes(writer.toBytes())].map(({ type }) => type),
      [1],
    );
  });
});
