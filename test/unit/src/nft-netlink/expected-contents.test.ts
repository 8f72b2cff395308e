import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { portData } from "../../../../src/nft/data.ts";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { NftAction, NftTransaction } from "../../../../src/nft/transaction.ts";
import { ExpectedContents } from "../../../../src/nft-netlink/expected-contents.ts";

const table = { family: "ip", name: "bellhop" } as const;
const sets: readonly NftSet[] = ["first", "second"].map((name) => ({ name, key: ["inet_service"] }));
const element = (port: number) => ({ key: portData(port) });

const action: fc.Arbitrary<NftAction> = fc.oneof(
  fc.constantFrom<NftAction>({ kind: "addTable" }, { kind: "deleteTable" }),
  fc.record({ kind: fc.constant("addChain" as const), chain: fc.constantFrom("one", "two") }),
  fc.record({ kind: fc.constant("addRule" as const), chain: fc.constantFrom("one", "two"), rule: fc.constant([]) }),
  fc.record({ kind: fc.constant("addSet" as const), set: fc.constantFrom(...sets) }),
  fc.record({
    kind: fc.constantFrom("addElements" as const, "deleteElements" as const),
    set: fc.constantFrom(...sets),
    elements: fc.nat(4).map((port) => [element(port)]),
  }),
);

/** Adding an element that is there already is the one thing that must not be done. */
function addsTwice(nft: FakeNft, { commands }: NftTransaction): boolean {
  const present = new Map(
    sets.map(({ name }) => [name, new Set(nft.table("ip", "bellhop")?.sets.get(name)?.elements.keys())]),
  );
  return commands.some((command) => {
    if (command.kind === "deleteTable") for (const keys of present.values()) keys.clear();
    if (command.kind !== "addElements" && command.kind !== "deleteElements") return false;
    const keys = present.get(command.set.name);
    return [...command.elements].some(({ key }) => {
      if (command.kind === "deleteElements") keys?.delete(key);
      else if (keys?.has(key) === true) return true;
      else keys?.add(key);
      return false;
    });
  });
}

test("what is expected in a table is what is in it, whatever was run and refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(action, { minLength: 1, maxLength: 6 }), { maxLength: 12 }), async (actions) => {
      const nft = new FakeNft();
      const expected = new ExpectedContents();
      const start: NftAction[] = [{ kind: "addTable" }, { kind: "deleteTable" }, { kind: "addTable" }];
      for (const one of [start, ...actions]) {
        const transaction = { commands: one.map((each) => ({ ...each, table })) };
        if (addsTwice(nft, transaction)) continue;
        const after = expected.after(transaction);
        const accepted = await nft.run(transaction).then(
          () => true,
          () => false,
        );
        if (!accepted) continue;
        after.settle();
        const found = nft.table("ip", "bellhop");
        const { contents } = after.tables[0] ?? {};
        if (found === undefined) {
          assert.equal(contents, undefined, "the table is not there, and not expected");
          continue;
        }
        const rules = [...found.chains].flatMap(([name, chain]) =>
          chain.rules.length === 0 ? [] : [[name, chain.rules.length] as const],
        );
        assert.deepEqual(contents, {
          objects: found.chains.size + found.sets.size,
          rules: new Map(rules),
          elements: new Map([...found.sets].map(([name, set]) => [name, set.elements.size])),
        });
      }
    }),
  );
});

test("nothing is expected of a table that was not made here, nor of one whose state is unknown", () => {
  const expected = new ExpectedContents();
  const add = { commands: [{ table, kind: "addTable" } as const] };
  assert.equal(expected.after(add).tables[0]?.contents, undefined);
  const made = expected.after({ commands: [{ table, kind: "deleteTable" }, ...add.commands] });
  made.settle();
  assert.equal(made.tables[0]?.contents?.objects, 0);
  made.forget();
  assert.equal(expected.after(add).tables[0]?.contents, undefined);
});

test("elements that come and go by themselves are not counted", () => {
  const expected = new ExpectedContents();
  const set: NftSet = { name: "affinity", key: ["inet_service"], timeoutMs: 1000, dynamic: true, size: 10 };
  const after = expected.after({
    commands: [
      { table, kind: "deleteTable" },
      { table, kind: "addTable" },
      { table, kind: "addSet", set },
    ],
  });
  assert.deepEqual(after.tables[0]?.contents?.elements, new Map());
});
