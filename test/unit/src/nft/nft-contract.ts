import assert from "node:assert/strict";
import { test } from "node:test";
import type { NftData } from "../../../../src/nft/element.ts";
import type { Nft } from "../../../../src/nft/nft.ts";
import type { NftCommand } from "../../../../src/nft/transaction.ts";

interface Step {
  readonly commands: readonly NftCommand[];
  readonly refused?: true;
}

const table: NftCommand = { kind: "addTable" };
const map: NftCommand = { kind: "addSet", set: "ports", declaration: "type inet_service : inet_service;" };
const verdicts: NftCommand = { kind: "addSet", set: "verdicts", declaration: "type inet_service : verdict;" };
const port = (number: number): NftData => ({ kind: "port", port: number });
const put = (set: string, key: number, value?: NftData): NftCommand => ({
  kind: "addElements",
  set,
  elements: [value === undefined ? { key: [port(key)] } : { key: [port(key)], value: [value] }],
});
const take = (set: string, key: number): NftCommand => ({ kind: "deleteElements", set, keys: [[port(key)]] });

const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  { name: "creating twice changes nothing", steps: [{ commands: [table, map] }, { commands: [table, map] }] },
  { name: "a table that is not there cannot be filled", steps: [{ commands: [map], refused: true }] },
  {
    name: "a table can be removed whether it is there or not",
    steps: [{ commands: [table, { kind: "deleteTable" }] }],
  },
  {
    name: "a table can be replaced in one transaction",
    steps: [
      { commands: [table, map, put("ports", 80, port(8080))] },
      { commands: [table, { kind: "deleteTable" }, table, map, put("ports", 80, port(9090))] },
    ],
  },
  {
    name: "an element may be added again with its value, and with another one only after it was deleted",
    steps: [
      { commands: [table, map, put("ports", 80, port(8080))] },
      { commands: [put("ports", 80, port(8080))] },
      { commands: [put("ports", 80, port(9090))], refused: true },
      { commands: [take("ports", 80), put("ports", 80, port(9090))] },
    ],
  },
  {
    name: "an element that is not there cannot be deleted",
    steps: [{ commands: [table, map] }, { commands: [take("ports", 80)], refused: true }],
  },
  {
    name: "of a refused transaction nothing stays",
    steps: [
      { commands: [table, map] },
      { commands: [put("ports", 80, port(8080)), take("ports", 81)], refused: true },
      { commands: [put("ports", 80, port(9090))] },
    ],
  },
  {
    name: "a map needs values",
    steps: [{ commands: [table, map] }, { commands: [put("ports", 80)], refused: true }],
  },
  {
    name: "a rule needs its chain and its set",
    steps: [
      { commands: [table, { kind: "addChain", chain: "one" }] },
      { commands: [{ kind: "addRule", chain: "two", rule: "drop" }], refused: true },
      { commands: [{ kind: "addRule", chain: "one", rule: "tcp dport @closed drop" }], refused: true },
      { commands: [{ kind: "addRule", chain: "one", rule: "tcp dport 80 drop" }] },
    ],
  },
  {
    name: "a verdict needs its chain",
    steps: [
      { commands: [table, verdicts] },
      { commands: [put("verdicts", 80, { kind: "goto", chain: "one" })], refused: true },
      { commands: [{ kind: "addChain", chain: "one" }, put("verdicts", 80, { kind: "goto", chain: "one" })] },
    ],
  },
];

/** What holds for every Nft, the fake and the kernel's. `create` gives one that has no tables. */
export function testNftContract(name: string, create: () => Promise<Nft>): void {
  for (const { name: behaviour, steps } of cases) {
    test(`${name}: ${behaviour}`, async () => {
      const nft = await create();
      for (const [index, { commands, refused }] of steps.entries()) {
        const run = nft.run({ family: "ip", table: "bellhop", commands });
        if (refused === true) await assert.rejects(run, { code: "NftFailed" }, `step ${index + 1}`);
        else await run;
      }
    });
  }
}
