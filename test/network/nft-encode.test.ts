import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { baseRules } from "../../speaker/dataplane/rules.ts";
import { sets } from "../../speaker/dataplane/sets.ts";
import { printTransaction } from "../../src/nft/print.ts";
import type { NftCommand } from "../../src/nft/transaction.ts";
import { KernelNftables } from "./kernel-nftables.ts";
import { skipReason } from "./namespace.ts";
import { comparable } from "./nft-differences.ts";
import { fetchNft } from "./nft-versions.ts";
import { productTables } from "./product-tables.ts";
import { sampleNetdevTable, sampleTable, unloadableTable } from "./sample-rules.ts";

/** The newest Debian release, and what comes after it. */
const suites = ["trixie", "sid"] as const;

/** The command of the nft of a Debian release; undefined when its packages cannot be fetched, and then the test is skipped. */
async function nftOf(suite: string, context: TestContext): Promise<readonly string[] | undefined> {
  try {
    return (await fetchNft(suite)).command;
  } catch (error) {
    context.skip(
      `NOT RUN: the packages of Debian ${suite} cannot be fetched: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}

async function allTables(): Promise<readonly (readonly [name: string, commands: readonly NftCommand[]])[]> {
  const product = await productTables();
  return [
    ["ip bellhop", product.ip],
    ["ip6 bellhop", product.ip6],
    ["ip sample", sampleTable("ip")],
    ["ip6 sample", sampleTable("ip6")],
    ["netdev sample", sampleNetdevTable()],
  ];
}

function renamed(commands: readonly NftCommand[], name: string): readonly NftCommand[] {
  return commands.map((command) => ({ ...command, table: { family: command.table.family, name } }));
}

/** Whether the nft of this machine is older than 1.1. */
async function isOlder(): Promise<boolean> {
  const version = await KernelNftables.use((kernel) => kernel.run(["nft", "--version"]));
  return /v(?:0\.|1\.0\.)/.test(version);
}

/** Whether an nft(8) before 1.1 can load it: it lists `ct original proto-dst` in a concatenation, but has no syntax for it. */
function isLoadable(command: NftCommand): boolean {
  return !printTransaction({ commands: [command] }).includes("ct original proto-dst");
}

const skip = skipReason() ?? false;
describe("what we encode is what nft(8) makes of what we print", { skip }, () => {
  async function check(nft: readonly string[], older: boolean): Promise<void> {
    await KernelNftables.use(async (kernel) => {
      for (const [name, all] of await allTables()) {
        const commands = older ? all.filter(isLoadable) : all;
        assert.ok(commands.length > 5, name);
        await kernel.run([...nft, "-f", "-"], printTransaction({ commands: renamed(commands, "text") }));
        await kernel.write(renamed(commands, "netlink"));
        const { family } = commands[0]?.table ?? { family: "ip" };
        const [ours, theirs] = [await kernel.read(family, "netlink"), await kernel.read(family, "text")];
        assert.deepEqual(comparable(ours, ours, false), comparable(theirs, ours, older), name);
      }
    });
  }

  test("of every set and every chain of ours", async () => {
    const product = await productTables();
    for (const family of ["ip", "ip6"] as const) {
      const filled = new Set<string>();
      for (const command of product[family]) {
        if (command.kind === "addElements") filled.add(command.set.name);
        if (command.kind === "addRule") filled.add(command.chain);
      }
      const all = [...Object.keys(sets[family]), ...Object.keys(baseRules(family, { nodeAddress: undefined }))];
      assert.deepEqual(
        all.filter((name) => !filled.has(name)),
        [],
      );
    }
  });

  test("of this machine", async () => {
    await check(["nft"], await isOlder());
  });

  for (const suite of suites) {
    test(`of Debian ${suite}`, async (context) => {
      const nft = await nftOf(suite, context);
      if (nft !== undefined) await check(nft, false);
    });
  }
});

/** What other programs do on the node: a listing of everything, and a table of their own. */
const others = `add table inet other
add set inet other ports { type inet_service; }
add element inet other ports { 80, 443 }
delete element inet other ports { 80 }
delete table inet other
`;

describe("other programs read what we write, and continue to write their own", { skip }, () => {
  async function check(nft: readonly string[], older: boolean): Promise<void> {
    await KernelNftables.use(async (kernel) => {
      for (const [name, all] of await allTables()) {
        const listed = async (commands: readonly NftCommand[]) => {
          await kernel.write(commands);
          const listing = await kernel.run([...nft, "list", "table", ...name.split(" ")]);
          assert.doesNotMatch(listing, /@(?:ll|nh|th),/, "each field is printed by its name");
          return listing;
        };
        const loadable = older ? all.filter(isLoadable) : all;
        await kernel.run([...nft, "-c", "-f", "-"], await listed(loadable));
        if (loadable.length === all.length) continue;
        const table = { family: all[0]?.table.family ?? "ip", name: name.split(" ")[1] ?? "" };
        await kernel.write([{ table, kind: "deleteTable" }]);
        assert.match(await listed(all), /ct original proto-dst/, name);
      }
      for (const family of ["ip", "ip6"] as const) await kernel.write(unloadableTable(family));
      assert.match(await kernel.run([...nft, "list", "ruleset"]), /ct original proto-dst/);
      await kernel.run([...nft, "-f", "-"], others);
    });
  }

  test("with the nft of this machine", async () => check(["nft"], await isOlder()));
  for (const suite of suites) {
    test(`with the nft of Debian ${suite}`, async (context) => {
      const nft = await nftOf(suite, context);
      if (nft !== undefined) await check(nft, false);
    });
  }
});

/** nft 1.0.6 crashes on each of its own writes beside such a table of nft 1.1 (kubernetes issue 136786). */
const foreign = `table inet firewall {
  set interfaces { type ifname; elements = { "lo" } }
  map states { type ct_state : verdict; elements = { established : accept, invalid : drop } }
  chain input {
    type filter hook input priority 0;
    ct state vmap { established : accept, related : accept, invalid : drop }
    ct state vmap @states
    iifname @interfaces accept
  }
}`;

describe("our writes beside the tables of a newer nft", { skip }, () => {
  for (const suite of suites) {
    test(`of Debian ${suite}`, async (context) => {
      const nft = await nftOf(suite, context);
      if (nft === undefined) return;
      await KernelNftables.use(async (kernel) => {
        await kernel.run([...nft, "-f", "-"], foreign);
        const before = await kernel.run([...nft, "list", "table", "inet", "firewall"]);
        const tables = await allTables();
        for (const [, commands] of tables) await kernel.write(commands);
        for (const [, commands] of tables) {
          // Each element alone: nft(8) reads all sets of all tables before such a command.
          for (const command of commands) {
            if (command.kind !== "addElements") continue;
            const elements = [...command.elements].slice(0, 1);
            await kernel.write([{ ...command, kind: "deleteElements", elements }]);
            await kernel.write([{ ...command, elements }]);
          }
        }
        for (const [, [first]] of tables)
          if (first !== undefined) await kernel.write([{ table: first.table, kind: "deleteTable" }]);
        assert.equal(await kernel.run([...nft, "list", "ruleset"]), before, "and nothing of them has changed");
      });
    });
  }
});
