import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { type FakeAnswer, FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import { NetlinkRequests } from "../../../../src/netlink-socket/requests.ts";

function datagram(
  ...messages: readonly { type: number; flags?: number; sequence: number; byte?: number }[]
): Uint8Array {
  const writer = new MessageWriter();
  for (const { type, flags = 2, sequence, byte = 0 } of messages) {
    const start = writer.beginMessage({ type, flags, sequence });
    writer.raw(Uint8Array.of(byte, 0, 0, 0));
    writer.endMessage(start);
  }
  return writer.toBytes();
}

const done = 3;
const interrupted = 0x12;

/** Kernel requests that are answered by the function. */
function requestsTo(answer: (sequence: number) => FakeAnswer) {
  const socket = new FakeNetlinkSocket(({ sequence }) => answer(sequence));
  return { socket, kernel: new NetlinkRequests(socket) };
}

describe("NetlinkRequests", () => {
  test("get returns the payload of the answer to its own request", () => {
    const { kernel } = requestsTo((sequence) => ({
      datagrams: [datagram({ type: 100, sequence: sequence + 1, byte: 9 }), datagram({ type: 100, sequence, byte: 5 })],
    }));
    assert.equal(kernel.get(100, () => undefined)?.[0], 5);
  });

  test("get returns undefined for what is not there, and throws for other errors", () => {
    const answers = [errnoNumbers.ENOENT, errnoNumbers.EPERM];
    const { kernel } = requestsTo(() => ({ errno: answers.shift() ?? 0 }));
    assert.equal(
      kernel.get(100, () => undefined),
      undefined,
    );
    assert.throws(() => kernel.get(100, () => undefined), { code: "NetlinkRefused", message: /EPERM/ });
  });

  test("get does not take silence for the answer that there is no such object", () => {
    const { kernel } = requestsTo(() => ({}));
    assert.throws(() => kernel.get(100, () => undefined), { code: "NetlinkRefused", message: /lost/ });
  });

  test("a dump that was interrupted by a change is read again", () => {
    let attempts = 0;
    const { kernel } = requestsTo((sequence) => {
      attempts += 1;
      return {
        datagrams: [
          datagram({ type: 100, sequence, byte: attempts, flags: attempts === 1 ? interrupted : 2 }),
          datagram({ type: 100, sequence, byte: attempts }, { type: done, sequence }),
        ],
      };
    });
    assert.deepEqual(
      kernel.list(
        100,
        () => undefined,
        ({ payload }) => payload[0],
      ),
      [2, 2],
    );
  });

  test("a dump that is always interrupted ends with an error", () => {
    const { kernel } = requestsTo((sequence) => ({
      datagrams: [datagram({ type: done, sequence, flags: interrupted })],
    }));
    assert.throws(
      () =>
        kernel.list(
          100,
          () => undefined,
          () => 1,
        ),
      { code: "NetlinkRefused" },
    );
  });

  test("a lost answer, and a dump without an end, are errors", () => {
    const { socket, kernel } = requestsTo((sequence) => ({ datagrams: [datagram({ type: 100, sequence })] }));
    assert.throws(
      () =>
        kernel.list(
          100,
          () => undefined,
          () => 1,
        ),
      { code: "NetlinkRefused", message: /lost/ },
    );
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      const errno = send(bytes);
      socket.overflow();
      return errno;
    };
    assert.throws(() => kernel.get(100, () => undefined), { code: "NetlinkRefused", message: /lost/ });
  });
});
