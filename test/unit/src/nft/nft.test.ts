import assert from "node:assert/strict";
import { test } from "node:test";
import { type NftData, printData } from "../../../../src/nft/element.ts";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { createNft } from "../../../../src/nft/nft.ts";
import { printTransaction } from "../../../../src/nft/transaction.ts";
import { testNftContract } from "./nft-contract.ts";

testNftContract("fake", async () => new FakeNft());

test("the text of a transaction", () => {
  const text = printTransaction({
    family: "ip6",
    table: "bellhop",
    commands: [
      { kind: "addTable" },
      { kind: "addSet", set: "lan_interfaces", declaration: "type ifname;" },
      { kind: "addSet", set: "ports", declaration: "type inet_service : inet_service;" },
      { kind: "addChain", chain: "rewrite", base: { type: "filter", hook: "prerouting", priority: -310 } },
      { kind: "addRule", chain: "rewrite", rule: "iifname @lan_interfaces accept" },
      { kind: "deleteElements", set: "lan_interfaces", keys: [[{ kind: "interface", name: "eth0" }]] },
      {
        kind: "addElements",
        set: "ports",
        elements: [
          { key: [{ kind: "port", port: 80 }], value: [{ kind: "port", port: 30_080 }] },
          { key: [{ kind: "port", port: 81 }], value: [{ kind: "port", port: 30_081 }] },
        ],
      },
      { kind: "deleteTable" },
    ],
  });
  assert.deepEqual(text.split("\n"), [
    "add table ip6 bellhop",
    "add set ip6 bellhop lan_interfaces { type ifname; }",
    "add map ip6 bellhop ports { type inet_service : inet_service; }",
    "add chain ip6 bellhop rewrite { type filter hook prerouting priority -310; policy accept; }",
    "add rule ip6 bellhop rewrite iifname @lan_interfaces accept",
    'delete element ip6 bellhop lan_interfaces { "eth0" }',
    "add element ip6 bellhop ports { 80 : 30080, 81 : 30081 }",
    "delete table ip6 bellhop",
    "",
  ]);
});

const printed: readonly (readonly [NftData, string])[] = [
  [{ kind: "address", address: { family: "IPv4", value: 0xc000_0201n } }, "192.0.2.1"],
  [{ kind: "address", address: { family: "IPv6", value: 1n } }, "::1"],
  [{ kind: "range", range: { family: "IPv4", first: 0n, last: 255n } }, "0.0.0.0-0.0.0.255"],
  [{ kind: "range", range: { family: "IPv4", first: 1n, last: 1n } }, "0.0.0.1"],
  [{ kind: "protocol", protocol: "sctp" }, "sctp"],
  [{ kind: "port", port: 443 }, "443"],
  [{ kind: "interface", name: "eth0" }, '"eth0"'],
  [{ kind: "index", index: 2 }, "2"],
  [{ kind: "goto", chain: "pick_random_3" }, "goto pick_random_3"],
];

test("each kind of data is printed as nft spells it, and parts are joined to a concatenation", () => {
  for (const [part, text] of printed) assert.equal(printData([part]), text);
  assert.equal(printData(printed.map(([part]) => part)), printed.map(([, text]) => text).join(" . "));
});

test("many elements are spread over several commands", () => {
  const elements = Array.from({ length: 4001 }, (_, index) => ({ key: [{ kind: "index", index } as const] }));
  const text = printTransaction({ family: "ip", table: "t", commands: [{ kind: "addElements", set: "s", elements }] });
  assert.equal(text.trim().split("\n").length, 3);
});

for (const [name, command] of [
  ["is not there", ["/nonexistent/nft"]],
  ["refuses", ["/bin/sh", "-c", "echo no such thing >&2; exit 1", "nft"]],
] as const) {
  test(`an nft that ${name} is an error with a code`, async () => {
    await assert.rejects(createNft({ command }).run({ family: "ip", table: "t", commands: [] }), { code: "NftFailed" });
  });
}
