import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressData,
  concatenate,
  type Data,
  interfaceData,
  numberData,
  portData,
  printData,
  printRange,
  protocolData,
} from "../../../../src/nft/data.ts";
import type { DataType } from "../../../../src/nft/data-type.ts";
import { printTransaction } from "../../../../src/nft/print.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { NftCommand } from "../../../../src/nft/transaction.ts";

const table = { family: "ip6", name: "bellhop" } as const;

test("the text of a transaction", () => {
  const interfaces: NftSet = { name: "lan_interfaces", key: ["ifname"] };
  const ports: NftSet = { name: "ports", key: ["inet_service"], data: ["inet_service"], comment: "to node ports" };
  const commands: readonly NftCommand[] = [
    { table, kind: "addTable" },
    { table, kind: "addSet", set: interfaces },
    { table, kind: "addSet", set: ports },
    { table, kind: "addChain", chain: "rewrite", base: { type: "filter", hook: "prerouting", priority: -310 } },
    {
      table: { family: "netdev", name: "bellhop" },
      kind: "addChain",
      chain: "lan",
      base: { type: "filter", hook: "ingress", priority: 0, devices: ["eth0"] },
    },
    { table, kind: "deleteElements", set: interfaces, elements: [{ key: interfaceData("eth0") }] },
    {
      table,
      kind: "addElements",
      set: ports,
      elements: [
        { key: portData(80), data: portData(30_080) },
        { key: portData(81), data: portData(30_081) },
      ],
    },
    { table, kind: "deleteTable" },
  ];
  assert.deepEqual(printTransaction({ commands }).split("\n"), [
    "add table ip6 bellhop",
    "add set ip6 bellhop lan_interfaces { type ifname; }",
    'add map ip6 bellhop ports { type inet_service : inet_service; comment "to node ports"; }',
    "add chain ip6 bellhop rewrite { type filter hook prerouting priority -310; policy accept; }",
    'add chain netdev bellhop lan { type filter hook ingress device "eth0" priority 0; policy accept; }',
    'delete element ip6 bellhop lan_interfaces { "eth0" }',
    "add element ip6 bellhop ports { 80 : 30080, 81 : 30081 }",
    "delete table ip6 bellhop",
    "",
  ]);
});

const address = (value: bigint) => addressData({ family: "IPv4", value });
const printed: readonly (readonly [DataType, Data, string])[] = [
  ["ipv4_addr", address(0xc000_0201n), "192.0.2.1"],
  ["ipv6_addr", addressData({ family: "IPv6", value: (0x2001_0db8n << 96n) + 1n }), "2001:db8::1"],
  ["ether_addr", "\x02\0\0\0\x00\xff", "02:00:00:00:00:ff"],
  ["inet_proto", protocolData("sctp"), "sctp"],
  ["inet_service", portData(443), "443"],
  ["ifname", interfaceData("eth0"), '"eth0"'],
  ["integer", numberData("integer", 2), "2"],
  ["mark", numberData("mark", 0x8000_0000), "0x80000000"],
  ["ct_state", numberData("ct_state", 9), "invalid|new"],
  ["tcp_flag", numberData("tcp_flag", 0xc0), "0xc0"],
];

test("each kind of data is printed as nft spells it, and parts are joined to a concatenation", () => {
  for (const [type, data, text] of printed) assert.equal(printData([type], data), text);
  const all = concatenate(printed.map(([, data]) => data));
  const types = printed.map(([type]) => type);
  assert.equal(printData(types, all), printed.map(([, , text]) => text).join(" . "));
});

test("a range is printed part by part", () => {
  const key = (last: bigint) => concatenate([address(last), portData(80)]);
  assert.equal(printRange(["ipv4_addr", "inet_service"], key(0n), key(255n)), "0.0.0.0-0.0.0.255 . 80");
  assert.equal(printRange(["ipv4_addr"], address(1n), address(1n)), "0.0.0.1");
});

test("many elements are spread over several commands", () => {
  const elements = Array.from({ length: 4001 }, (_, index) => ({ key: numberData("mark", index) }));
  const text = printTransaction({
    commands: [{ table, kind: "addElements", set: { name: "s", key: ["mark"] }, elements }],
  });
  assert.equal(text.trim().split("\n").length, 3);
});
