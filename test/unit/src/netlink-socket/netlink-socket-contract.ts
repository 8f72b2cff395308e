import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readAnswer } from "../../../../src/netlink/answer.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";
import type { NetlinkSocket } from "../../../../src/netlink-socket/netlink-socket.ts";

/** NLMSG_NOOP: the kernel does nothing and acknowledges it, in every subsystem and for everybody. */
const noop = 1;
/** A type that no subsystem of route netlink has. */
const unknownType = 4000;

function requests(...messages: readonly (readonly [type: number, flags: number, sequence: number])[]): Uint8Array {
  const writer = new MessageWriter();
  for (const [type, flags, sequence] of messages) writer.endMessage(writer.beginMessage({ type, flags, sequence }));
  return writer.toBytes();
}

function answers(socket: NetlinkSocket): readonly (readonly [sequence: number, errno: number])[] {
  const found: (readonly [number, number])[] = [];
  for (;;) {
    const datagram = socket.receive();
    if (datagram === "none") return found;
    assert.ok(datagram !== "lost");
    for (const message of readMessages(datagram)) {
      const answer = readAnswer(message);
      if (answer !== undefined) found.push([answer.sequence, answer.errno]);
    }
  }
}

/** What the kernel's route netlink and the fake have in common. `open` makes a socket that knows no type `unknownType`. */
export function testNetlinkSocketContract(name: string, open: () => NetlinkSocket): void {
  describe(`the contract of netlink sockets: ${name}`, () => {
    test("answers come also while it does not listen for notifications", (t) => {
      const socket = open();
      t.after(() => socket.close());
      socket.listen(false);
      assert.equal(socket.send(requests([noop, 5, 7])), 0);
      assert.deepEqual(answers(socket), [[7, 0]]);
      socket.listen(true);
    });

    test("all answers wait when send returns, one for each message that requests it", (t) => {
      const socket = open();
      t.after(() => socket.close());
      assert.equal(socket.receive(), "none");
      assert.equal(socket.send(requests([noop, 5, 7], [noop, 1, 8], [noop, 5, 9])), 0);
      assert.deepEqual(answers(socket), [
        [7, 0],
        [9, 0],
      ]);
    });

    test("an error is answered although no ack was requested, and the messages behind it are handled", (t) => {
      const socket = open();
      t.after(() => socket.close());
      assert.equal(socket.send(requests([unknownType, 1, 1], [noop, 5, 2])), 0);
      assert.deepEqual(answers(socket), [
        [1, errnoNumbers.EOPNOTSUPP],
        [2, 0],
      ]);
    });

    test("what is not a request is not carried out, and acknowledged all the same", (t) => {
      const socket = open();
      t.after(() => socket.close());
      assert.equal(socket.send(requests([unknownType, 0, 1], [unknownType, 4, 2])), 0);
      assert.deepEqual(answers(socket), [[2, 0]]);
    });

    test("a datagram that is longer than the buffer is not sent, and nothing happens", (t) => {
      const socket = open();
      t.after(() => socket.close());
      const bytes = new Uint8Array(16 * 1024 * 1024);
      bytes.set(requests([noop, 5, 1]));
      assert.equal(socket.send(bytes), errnoNumbers.EMSGSIZE);
      assert.deepEqual(answers(socket), []);
    });

    test("it has a port id, and a closed one fails", () => {
      const socket = open();
      assert.ok(socket.portId > 0);
      socket.close();
      socket.close();
      assert.throws(() => socket.receive(), { code: "SocketFailed" });
      assert.notEqual(socket.send(requests([noop, 5, 1])), 0);
    });
  });
}
