import assert from "node:assert/strict";
import { test } from "node:test";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { BatchWriter } from "../../../../src/netlink/batch-writer.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";
import { netfilterFamilies, netfilterHeaderLength, netfilterSubsystems } from "../../../../src/netlink/netfilter.ts";

test("a batch names its subsystem big-endian, numbers its commands, and requests an ack of the last one only", () => {
  const batch = new BatchWriter(netfilterSubsystems.nftables);
  for (const [name, message] of [
    ["add table", 0],
    ["delete table", 2],
  ] as const) {
    const mark = batch.beginCommand(`${name} bellhop`, message, netfilterFamilies.ip6);
    batch.attributes.text(1, "bellhop");
    batch.endCommand(mark);
  }
  const { bytes, commands } = batch.finish();
  assert.deepEqual(commands, ["add table bellhop", "delete table bellhop"]);
  const messages = readMessages(bytes);
  assert.deepEqual(
    messages.map(({ type, flags, sequence }) => [type, flags, sequence]),
    [
      [0x10, 1, 0],
      [0x0a00, 1, 1],
      [0x0a02, 5, 2],
      [0x11, 1, 0],
    ],
  );
  assert.deepEqual([...(messages[0]?.payload ?? [])], [0, 0, 0, 10]);
  assert.deepEqual([...(messages[3]?.payload ?? [])], [0, 0, 0, 10]);
  const command = messages[2]?.payload ?? new Uint8Array();
  assert.deepEqual([...command.subarray(0, netfilterHeaderLength)], [10, 0, 0, 0]);
  assert.equal(new Attributes(command, netfilterHeaderLength).text(1), "bellhop");
});

test("a batch without commands is its two marks", () => {
  const { bytes, commands } = new BatchWriter(netfilterSubsystems.nftables).finish();
  assert.deepEqual([readMessages(bytes).length, commands.length], [2, 0]);
});
