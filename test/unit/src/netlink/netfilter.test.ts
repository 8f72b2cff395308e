import assert from "node:assert/strict";
import { test } from "node:test";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";
import {
  netfilterFamilies,
  netfilterHeaderLength,
  netfilterSubsystems,
  netfilterType,
  writeBatchMark,
  writeNetfilterHeader,
} from "../../../../src/netlink/netfilter.ts";

test("a batch names its subsystem big-endian, while a command has the family and the type of its subsystem", () => {
  const writer = new MessageWriter();
  writeBatchMark(writer, "begin", netfilterSubsystems.nftables, 0);
  const start = writer.beginMessage({ type: netfilterType(netfilterSubsystems.nftables, 2), flags: 1, sequence: 1 });
  writeNetfilterHeader(writer, netfilterFamilies.ip6);
  writer.text(1, "bellhop");
  writer.endMessage(start);
  writeBatchMark(writer, "end", netfilterSubsystems.nftables, 2);

  const [begin, command, end] = readMessages(writer.toBytes());
  assert.ok(begin !== undefined && command !== undefined && end !== undefined);
  assert.deepEqual([begin.type, command.type, end.type], [0x10, 0x0a02, 0x11]);
  assert.deepEqual([...begin.payload], [0, 0, 0, 10]);
  assert.deepEqual([...end.payload], [0, 0, 0, 10]);
  assert.deepEqual([...command.payload.subarray(0, netfilterHeaderLength)], [10, 0, 0, 0]);
  assert.equal(new Attributes(command.payload, netfilterHeaderLength).text(1), "bellhop");
});
