import assert from "node:assert/strict";
import { test } from "node:test";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";
import { netfilterHeaderLength } from "../../../../src/netlink/netfilter.ts";
import { numberData, portData } from "../../../../src/nft/data.ts";
import { encodeTransaction } from "../../../../src/nft/encode/transaction.ts";
import { constant } from "../../../../src/nft/expression.ts";
import { PackedElements } from "../../../../src/nft/packed-elements.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { NftCommand } from "../../../../src/nft/transaction.ts";

const ip = { family: "ip", name: "bellhop" } as const;
const ports: NftSet = { name: "ports", key: ["inet_service"], interval: true };
const marks: NftSet = { name: "marks", key: ["mark"] };

function messagesOf(commands: readonly NftCommand[]) {
  const { bytes, commands: names } = encodeTransaction({ commands });
  const messages = readMessages(bytes);
  assert.deepEqual([messages[0]?.type, messages.at(-1)?.type], [0x10, 0x11]);
  assert.equal(messages.length, names.length + 2);
  return messages.slice(1, -1).map(({ type, flags, payload }, index) => ({
    name: names[index],
    type: type & 0xff,
    flags,
    family: payload[0],
    attributes: new Attributes(payload, netfilterHeaderLength),
  }));
}

test("one batch changes tables of several families, and its commands have names", () => {
  const netdev = { family: "netdev", name: "bellhop" } as const;
  const base = { type: "filter", hook: "ingress", priority: 0, devices: ["eth0", "eth1"] } as const;
  const messages = messagesOf([
    { table: ip, kind: "addTable" },
    { table: netdev, kind: "addTable" },
    { table: netdev, kind: "addChain", chain: "lan", base },
    { table: ip, kind: "deleteTable" },
  ]);
  assert.deepEqual(
    messages.map(({ name, type, flags, family }) => [name, type, flags, family]),
    [
      ["add table ip bellhop", 0, 0x401, 2],
      ["add table netdev bellhop", 0, 0x401, 5],
      ["add chain netdev bellhop lan", 3, 0x401, 5],
      // The last one requests the ack.
      ["delete table ip bellhop", 2, 0x5, 2],
    ],
  );
  const devices = messages[2]?.attributes.nested(4)?.nested(4);
  assert.deepEqual(
    [...(devices ?? [])].map(({ value }) => Buffer.from(value).toString()),
    ["eth0\0", "eth1\0"],
  );
});

test("rules are appended: the kernel puts them in front otherwise", () => {
  const [rule] = messagesOf([
    { table: ip, kind: "addRule", chain: "c", rule: [{ kind: "counter" }] },
    { table: ip, kind: "deleteTable" },
  ]);
  assert.equal(rule?.flags, 0xc01);
});

test("many elements are split, so that no list is longer than an attribute can be, and none is lost", () => {
  const elements = Array.from({ length: 10_000 }, (_, index) => ({ key: numberData("mark", index) }));
  for (const kind of ["addElements", "deleteElements"] as const) {
    const messages = messagesOf([{ table: ip, kind, set: marks, elements }]);
    assert.equal(messages.length, 3);
    const keys = messages.flatMap(({ attributes }) =>
      [...(attributes.nested(3) ?? [])].map(({ nested }) => nested().nested(1)?.u32(1)),
    );
    assert.deepEqual(keys, [...elements.keys()]);
  }
  assert.deepEqual(messagesOf([{ table: ip, kind: "addElements", set: marks, elements: [] }]), []);
});

test("packed elements are encoded as the same elements one by one, in any number of strings and lists", () => {
  const ports: NftSet = { name: "ports", key: ["ipv4_addr", "inet_service"] };
  const macs: NftSet = { name: "macs", key: ["ether_addr"], data: ["inet_service"] };
  for (const [set, key, data] of [
    [ports, 8, 0],
    [macs, 6, 2],
    [{ ...macs, data: ["ipv4_addr", "inet_service"] } satisfies NftSet, 6, 8],
  ] as const) {
    for (const count of [0, 1, 2, 10_000]) {
      const bytes = Array.from({ length: count * (key + data) }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
      const all = Buffer.from(bytes).toString("latin1");
      // Not all strings have the same number of elements.
      const middle = (count >> 2) * (key + data);
      const packed = new PackedElements({ key, data }, [all.slice(0, middle), all.slice(middle)]);
      assert.equal(packed.length, count);
      assert.deepEqual(JSON.parse(JSON.stringify(packed)), [...packed]);
      for (const kind of ["addElements", "deleteElements"] as const) {
        const encoded = encodeTransaction({ commands: [{ table: ip, kind, set, elements: packed }] });
        const expected = encodeTransaction({ commands: [{ table: ip, kind, set, elements: [...packed] }] });
        assert.deepEqual(encoded, expected);
      }
      const [last] = [...packed].slice(-1);
      if (last !== undefined) assert.equal(last.key + (last.data ?? ""), all.slice(-(key + data)));
    }
  }
});

test("a range of one type ends with the first value behind it, and not at all when there is none", () => {
  const elements = [
    { key: portData(80), keyEnd: portData(0x01ff) },
    { key: portData(0x0300) },
    { key: portData(0xff00), keyEnd: portData(0xffff) },
  ];
  for (const kind of ["addElements", "deleteElements"] as const) {
    const [message] = messagesOf([{ table: ip, kind, set: ports, elements }]);
    const written = [...(message?.attributes.nested(3) ?? [])].map(({ nested }) => {
      const element = nested();
      return [element.nested(1)?.u16Be(1), element.u32Be(3)];
    });
    assert.deepEqual(written, [
      [80, undefined],
      [0x0200, 1],
      [0x0300, undefined],
      [0x0301, 1],
      [0xff00, undefined],
    ]);
  }
});

test("a port of UDP is written so that a datagram without a checksum stays without one", () => {
  const to = constant("inet_service", portData(30_053));
  for (const [field, type, offset, flags] of [
    ["udp dport", 0, 0, 1],
    ["tcp dport", 1, 16, undefined],
  ] as const) {
    const [message] = messagesOf([{ table: ip, kind: "addRule", chain: "c", rule: [{ kind: "set", field, to }] }]);
    const write = [...(message?.attributes.nested(4) ?? [])].at(-1)?.nested();
    assert.equal(write?.text(1), "payload");
    const data = write?.nested(2);
    assert.deepEqual([data?.u32Be(6), data?.u32Be(7), data?.u32Be(8)], [type, offset, flags]);
  }
});
