import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { printTransaction } from "../../src/nft/print.ts";
import type { NftCommand } from "../../src/nft/transaction.ts";
import { someTable } from "../unit/src/nft/generated-rules.ts";
import { KernelNftables } from "./kernel-nftables.ts";
import { skipReason } from "./namespace.ts";
import { comparable } from "./nft-differences.ts";

function renamed(commands: readonly NftCommand[], name: string): readonly NftCommand[] {
  return commands.map((command) => ({ ...command, table: { family: command.table.family, name } }));
}

const skip = skipReason() ?? false;
describe("of random rules, what we encode is what nft(8) makes of what we print", { skip }, () => {
  for (const family of ["ip", "ip6"] as const) {
    test(family, async () => {
      await KernelNftables.use(async (kernel) => {
        const older = /v(?:0\.|1\.0\.)/.test(await kernel.run(["nft", "--version"]));
        await fc.assert(
          fc.asyncProperty(someTable(family), async (commands) => {
            const text = printTransaction({ commands: renamed(commands, "text") });
            await kernel.run(["nft", "-f", "-"], text);
            await kernel.write(renamed(commands, "netlink"));
            const [ours, theirs] = [await kernel.read(family, "netlink"), await kernel.read(family, "text")];
            await kernel.write(
              ["text", "netlink"].map((name) => ({ table: { family, name }, kind: "deleteTable" }) as const),
            );
            assert.deepEqual(comparable(ours, ours, false), comparable(theirs, ours, older), text);
          }),
          { numRuns: 100 },
        );
      });
    });
  }
});
