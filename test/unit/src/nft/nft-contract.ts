import assert from "node:assert/strict";
import { test } from "node:test";
import { type Data, portData } from "../../../../src/nft/data.ts";
import { field } from "../../../../src/nft/expression.ts";
import type { Nft } from "../../../../src/nft/nft.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { Statement } from "../../../../src/nft/statement.ts";
import type { NftAction } from "../../../../src/nft/transaction.ts";
import type { Verdict } from "../../../../src/nft/verdict.ts";

interface Step {
  readonly commands: readonly NftAction[];
  readonly refused?: true;
}

const table: NftAction = { kind: "addTable" };
const ports: NftSet = { name: "ports", key: ["inet_service"], data: ["inet_service"] };
const verdicts: NftSet = { name: "verdicts", key: ["inet_service"], data: "verdict" };
const map: NftAction = { kind: "addSet", set: ports };
const put = (set: NftSet, key: number, data?: Data | Verdict): NftAction => ({
  kind: "addElements",
  set,
  elements: [data === undefined ? { key: portData(key) } : { key: portData(key), data }],
});
const take = (set: NftSet, key: number): NftAction => ({
  kind: "deleteElements",
  set,
  elements: [{ key: portData(key) }],
});
const drop: Statement = { kind: "verdict", verdict: { kind: "drop" } };
const dport = field("tcp dport");

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
      { commands: [table, map, put(ports, 80, portData(8080))] },
      { commands: [table, { kind: "deleteTable" }, table, map, put(ports, 80, portData(9090))] },
    ],
  },
  {
    name: "an element may be added again with its value, and with another one only after it was deleted",
    steps: [
      { commands: [table, map, put(ports, 80, portData(8080))] },
      { commands: [put(ports, 80, portData(8080))] },
      { commands: [put(ports, 80, portData(9090))], refused: true },
      { commands: [take(ports, 80), put(ports, 80, portData(9090))] },
    ],
  },
  {
    name: "an element that is not there cannot be deleted",
    steps: [{ commands: [table, map] }, { commands: [take(ports, 80)], refused: true }],
  },
  {
    name: "of a refused transaction nothing stays",
    steps: [
      { commands: [table, map] },
      { commands: [put(ports, 80, portData(8080)), take(ports, 81)], refused: true },
      { commands: [put(ports, 80, portData(9090))] },
    ],
  },
  {
    name: "a map needs values",
    steps: [{ commands: [table, map] }, { commands: [put(ports, 80)], refused: true }],
  },
  {
    name: "a rule needs its chain and its set",
    steps: [
      { commands: [table, { kind: "addChain", chain: "one" }] },
      { commands: [{ kind: "addRule", chain: "two", rule: [drop] }], refused: true },
      {
        commands: [
          {
            kind: "addRule",
            chain: "one",
            rule: [
              { kind: "lookup", key: [dport], operator: "in", set: { name: "closed", key: ["inet_service"] } },
              drop,
            ],
          },
        ],
        refused: true,
      },
      {
        commands: [
          {
            kind: "addRule",
            chain: "one",
            rule: [{ kind: "match", left: dport, operator: "==", right: portData(80) }, drop],
          },
        ],
      },
    ],
  },
  {
    name: "a verdict needs its chain",
    steps: [
      { commands: [table, { kind: "addSet", set: verdicts }] },
      { commands: [put(verdicts, 80, { kind: "goto", chain: "one" })], refused: true },
      { commands: [{ kind: "addChain", chain: "one" }, put(verdicts, 80, { kind: "goto", chain: "one" })] },
    ],
  },
];

/** What holds for every Nft, the fake and the kernel's. `create` gives one that has no tables. */
export function testNftContract(name: string, create: () => Promise<Nft>): void {
  for (const { name: behaviour, steps } of cases) {
    test(`${name}: ${behaviour}`, async () => {
      const nft = await create();
      for (const [index, { commands, refused }] of steps.entries()) {
        const run = nft.run({
          commands: commands.map((action) => ({ table: { family: "ip", name: "bellhop" }, ...action })),
        });
        if (refused === true) await assert.rejects(run, { code: "NftFailed" }, `step ${index + 1}`);
        else await run;
      }
    });
  }
}
