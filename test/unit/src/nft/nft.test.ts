import assert from "node:assert/strict";
import { test } from "node:test";
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
