import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BatchWriter } from "../../../../src/netlink/batch-writer.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { netfilterFamilies, netfilterSubsystems } from "../../../../src/netlink/netfilter.ts";
import { FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import { batchError } from "../../../../src/nft-netlink/batch-error.ts";
import { locateFault } from "../../../../src/nft-netlink/fault-location.ts";
import { runBatch } from "../../../../src/nft-netlink/run-batch.ts";

/** Three commands: a table, a rule with two expressions, and two elements. Returns where their parts begin, too. */
function exampleBatch() {
  const batch = new BatchWriter(netfilterSubsystems.nftables);
  const { attributes } = batch;
  const offsets: Record<string, number> = {};
  const table = batch.beginCommand("add table bellhop", 0, netfilterFamilies.ip);
  offsets.table = attributes.lengthSince(table);
  attributes.text(1, "bellhop");
  batch.endCommand(table);

  const rule = batch.beginCommand("add rule dnat", 6, netfilterFamilies.ip);
  attributes.text(1, "bellhop");
  offsets.chain = attributes.lengthSince(rule);
  attributes.text(2, "dnat");
  const expressions = attributes.beginNested(4);
  for (const name of ["meta", "lookup"]) {
    offsets[name] = attributes.lengthSince(rule);
    const expression = attributes.beginNested(1);
    attributes.text(1, name);
    attributes.endNested(expression);
  }
  attributes.endNested(expressions);
  batch.endCommand(rule);

  const elements = batch.beginCommand("add elements ports", 12, netfilterFamilies.ip);
  attributes.text(1, "bellhop");
  const list = attributes.beginNested(3);
  for (const port of [80, 443]) {
    const element = attributes.beginNested(1);
    const key = attributes.beginNested(1);
    offsets[`value ${port}`] = attributes.lengthSince(elements);
    attributes.u16Be(1, port);
    attributes.endNested(key);
    attributes.endNested(element);
  }
  attributes.endNested(list);
  batch.endCommand(elements);
  return { ...batch.finish(), offsets };
}

describe("runBatch", () => {
  const { bytes, commands } = exampleBatch();

  test("a batch whose last command is acknowledged is applied", () => {
    assert.deepEqual(runBatch(new FakeNetlinkSocket(), bytes, commands.length), { kind: "applied" });
  });

  test("an error says which command is at fault, also beside the ack of the last one", () => {
    const socket = new FakeNetlinkSocket(({ sequence }) => ({ errno: sequence === 2 ? errnoNumbers.ENOENT : 0 }));
    const outcome = runBatch(socket, bytes, commands.length);
    assert.deepEqual(outcome, { kind: "refused", faults: [{ command: 2, errno: "ENOENT" }] });
    assert.ok(outcome.kind === "refused");
    assert.match(batchError(outcome, commands).message, /command 2, add rule dnat: ENOENT/);
  });

  test("lost answers leave the outcome unknown, and what is left of them is not taken for those of the next batch", () => {
    const socket = new FakeNetlinkSocket();
    const original = socket.send.bind(socket);
    socket.send = (sent) => {
      const errno = original(sent);
      socket.overflow();
      return errno;
    };
    const outcome = runBatch(socket, bytes, commands.length);
    assert.deepEqual(outcome, { kind: "unknown", reason: "answers were lost" });
    assert.ok(outcome.kind === "unknown");
    assert.equal(batchError(outcome, commands).code, "NftFailed");
    socket.send = original;
    socket.send(bytes);
    assert.deepEqual(runBatch(socket, bytes, commands.length), { kind: "applied" });
  });

  test("silence leaves the outcome unknown", () => {
    const socket = new FakeNetlinkSocket();
    socket.send = () => 0;
    assert.equal(runBatch(socket, bytes, commands.length).kind, "unknown");
  });

  test("a batch that is larger than the buffer is sent with a larger one", () => {
    const batch = new BatchWriter(netfilterSubsystems.nftables);
    const { attributes } = batch;
    for (let count = 0; count < 10; count++) {
      const mark = batch.beginCommand("add elements", 12, netfilterFamilies.ip);
      attributes.bytes(3, new Uint8Array(60_000));
      batch.endCommand(mark);
    }
    const large = batch.finish();
    const socket = new FakeNetlinkSocket();
    assert.equal(socket.send(large.bytes), errnoNumbers.EMSGSIZE);
    assert.deepEqual(runBatch(socket, large.bytes, large.commands.length), { kind: "applied" });
  });

  test("without the capability the error names it", () => {
    const socket = new FakeNetlinkSocket();
    socket.send = () => errnoNumbers.EPERM;
    const outcome = runBatch(socket, bytes, commands.length);
    assert.ok(outcome.kind === "refused");
    assert.match(batchError(outcome, commands).message, /the batch: EPERM.*NET_ADMIN/);
  });

  test("a batch without commands is not sent", () => {
    const socket = new FakeNetlinkSocket();
    socket.send = () => assert.fail("sent");
    assert.deepEqual(runBatch(socket, new Uint8Array(), 0), { kind: "applied" });
  });
});

describe("locateFault", () => {
  const { bytes, offsets } = exampleBatch();
  const commandBytes = (sequence: number): Uint8Array => {
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (view.getUint32(at + 8, true) !== sequence) at += view.getUint32(at, true);
    return bytes.subarray(at, at + view.getUint32(at, true));
  };

  for (const [sequence, part, words] of [
    [1, "table", "table"],
    [2, "chain", "chain"],
    [2, "meta", "expression 1 `meta`"],
    [2, "lookup", "expression 2 `lookup`"],
    [3, "value 80", "key of element 1"],
    [3, "value 443", "key of element 2"],
  ] as const) {
    test(`names ${words} in command ${sequence}`, () => {
      assert.equal(locateFault(commandBytes(sequence), offsets[part] ?? -1)?.words, words);
    });
  }

  test("returns the key of an element", () => {
    const { element } = locateFault(commandBytes(3), offsets["value 443"] ?? -1) ?? {};
    assert.deepEqual([element?.index, ...(element?.key ?? [])], [1, 1, 187]);
  });

  test("an offset that leads nowhere has no name, and never throws", () => {
    assert.equal(locateFault(commandBytes(3), 100_000), undefined);
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), fc.nat(300), (sequence, offset) => {
        locateFault(commandBytes(sequence), offset);
      }),
    );
  });
});
