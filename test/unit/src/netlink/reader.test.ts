import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BellhopError } from "../../../../src/error/error.ts";
import { readAnswer } from "../../../../src/netlink/answer.ts";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { DumpReader } from "../../../../src/netlink/dump-reader.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { type NetlinkMessage, readMessages } from "../../../../src/netlink/messages.ts";

/** Runs it; only a typed error may be thrown. */
function onlyTypedErrors(read: () => void): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof BellhopError, String(error));
    assert.ok(error.code === "NetlinkMalformed" || error.code === "NetlinkRefused");
  }
}

function readDeeply(attributes: Attributes, depth: number): void {
  for (const attribute of attributes) {
    onlyTypedErrors(() => attributes.u32Be(attribute.type));
    onlyTypedErrors(() => attributes.text(attribute.type));
    if (depth > 0) onlyTypedErrors(() => readDeeply(attribute.nested(), depth - 1));
  }
}

/** Bytes that look like messages now and then, so that reading gets past the first length. */
const plausible = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 8, 16, 20, 36, 64), fc.nat(255)), { maxLength: 200 })
  .map((bytes) => Uint8Array.from(bytes));

describe("bytes that are not messages", () => {
  test("end with a typed error or as messages, and the reader neither loops nor reads outside", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), plausible), (bytes) => {
        onlyTypedErrors(() => {
          const messages = readMessages(bytes);
          assert.ok(messages.length <= bytes.length / 16);
          for (const message of messages) {
            onlyTypedErrors(() => readAnswer(message));
            onlyTypedErrors(() => readDeeply(new Attributes(message.payload), 3));
          }
        });
        onlyTypedErrors(() => readDeeply(new Attributes(bytes), 3));
        onlyTypedErrors(() => new DumpReader(0, () => undefined).add(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test("a good message with some bytes changed ends the same way", () => {
    const writer = new MessageWriter();
    const start = writer.beginMessage({ type: 2, flags: 0x300, sequence: 7 });
    writer.raw(new Uint8Array(20));
    writer.text(1, "wrong");
    writer.u32(2, 24);
    writer.endMessage(start);
    const good = writer.toBytes();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        onlyTypedErrors(() => {
          for (const message of readMessages(bytes)) readAnswer(message);
        });
      }),
      { numRuns: 2000 },
    );
  });

  test("a number of another size than the caller expects is an error", () => {
    const writer = new MessageWriter();
    writer.u16Be(1, 1);
    assert.throws(() => new Attributes(writer.toBytes()).u32Be(1), { code: "NetlinkMalformed" });
  });
});

/** A message as the kernel would write it. */
function message(header: Partial<NetlinkMessage>, fill: (writer: MessageWriter) => void = () => undefined): Uint8Array {
  const writer = new MessageWriter();
  const { type = 0, flags = 0, sequence = 0 } = header;
  const start = writer.beginMessage({ type, flags, sequence });
  fill(writer);
  writer.endMessage(start);
  return writer.toBytes();
}

/** The result, and the header of the command that it is about. */
function answered(errno: number, repeated: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + repeated.length);
  new DataView(bytes.buffer).setInt32(0, -errno, true);
  bytes.set(repeated, 4);
  return bytes;
}

function onlyMessage(bytes: Uint8Array): NetlinkMessage {
  const [found] = readMessages(bytes);
  assert.ok(found !== undefined);
  return found;
}

describe("readAnswer", () => {
  const command = message({ type: 0x0a06, sequence: 8 }, (writer) => writer.text(1, "bellhop"));

  test("an ack has errno 0", () => {
    const bytes = message({ type: 2, flags: 0x100, sequence: 8 }, (writer) =>
      writer.raw(answered(0, command.subarray(0, 16))),
    );
    assert.deepEqual(readAnswer(onlyMessage(bytes)), { sequence: 8, errno: 0 });
  });

  const words = (writer: MessageWriter) => {
    writer.text(1, "no such table");
    writer.u32(2, 20);
    writer.u32(5, 3);
  };
  const expected = { sequence: 8, errno: 2, message: "no such table", offset: 20, missingType: 3 };

  test("attributes follow the header of the command where the answer is capped", () => {
    const bytes = message({ type: 2, flags: 0x300, sequence: 8 }, (writer) => {
      writer.raw(answered(2, command.subarray(0, 16)));
      words(writer);
    });
    assert.deepEqual(readAnswer(onlyMessage(bytes)), expected);
  });

  test("attributes follow the whole command where it is not", () => {
    const bytes = message({ type: 2, flags: 0x200, sequence: 8 }, (writer) => {
      writer.raw(answered(2, command));
      words(writer);
    });
    assert.deepEqual(readAnswer(onlyMessage(bytes)), expected);
  });

  test("a message of another type is not an answer", () => {
    assert.equal(readAnswer(onlyMessage(message({ type: 0x0a0f }))), undefined);
  });
});

describe("DumpReader", () => {
  const part = (flags = 2) => message({ type: 0x0a00, flags, sequence: 5 });
  const done = (errno = 0) =>
    message({ type: 3, flags: 2, sequence: 5 }, (writer) => writer.raw(answered(errno, new Uint8Array())));

  test("collects the messages of its own request until the kernel is done", () => {
    let count = 0;
    const reader = new DumpReader(5, () => count++);
    reader.add(Buffer.concat([part(), part(), message({ type: 0x0a00, sequence: 6 })]));
    assert.equal(reader.done, false);
    reader.add(Buffer.concat([part(), done()]));
    assert.deepEqual([count, reader.done, reader.interrupted], [3, true, false]);
  });

  test("notices that something changed meanwhile", () => {
    const reader = new DumpReader(5, () => undefined);
    reader.add(Buffer.concat([part(2 | 0x10), done()]));
    assert.equal(reader.interrupted, true);
  });

  test("a refusal is a typed error, at the beginning and at the end", () => {
    assert.throws(() => new DumpReader(5, () => undefined).add(done(4)), { code: "NetlinkRefused", message: /EINTR/ });
    const refused = message({ type: 2, flags: 0x100, sequence: 5 }, (writer) =>
      writer.raw(answered(1, part().subarray(0, 16))),
    );
    assert.throws(() => new DumpReader(5, () => undefined).add(refused), { code: "NetlinkRefused", message: /EPERM/ });
  });
});
