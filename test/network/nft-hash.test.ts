import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAddress } from "../../src/ip/address.ts";
import { addressData, concatenate, portData } from "../../src/nft/data.ts";
import { concatenation, type Expression, field } from "../../src/nft/expression.ts";
import { jhash } from "../../src/nft/jhash.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftAction } from "../../src/nft/transaction.ts";
import { KernelNftables } from "./kernel-nftables.ts";
import { skipReason } from "./namespace.ts";

/** The address and the ports that packets are sent to, in each family. */
const targets = { ip: "127.0.0.1", ip6: "::1" } as const;
const ports = [53, 80, 8080, 40_000] as const;
const modulus = 65_521;
const seed = 0x6265_6c6c;

describe("the tracer's hash is the kernel's", { skip: skipReason() ?? false }, () => {
  for (const family of ["ip", "ip6"] as const) {
    test(family, async () => {
      await KernelNftables.use(async (kernel) => {
        // A rule that remembers the hash of each packet.
        const hashes: NftSet = { name: "hashes", key: ["mark"], dynamic: true, timeoutMs: 60_000, size: 100 };
        const of = [...concatenation(`${family} daddr`, "th dport"), field("meta l4proto")];
        const hash: Expression = { kind: "jhash", of, modulus, seed };
        const actions: readonly NftAction[] = [
          { kind: "addTable" },
          { kind: "addSet", set: hashes },
          { kind: "addChain", chain: "sent", base: { type: "filter", hook: "output", priority: 0 } },
          { kind: "addRule", chain: "sent", rule: [{ kind: "update", set: hashes, key: [hash] }] },
        ];
        await kernel.write(actions.map((action) => ({ table: { family, name: "t" }, ...action })));
        const address = parseAddress(targets[family]);
        assert.ok(address);
        const expected: string[] = [];
        for (const port of ports) {
          await kernel.run(["bash", "-c", `echo > /dev/udp/${targets[family]}/${port}`]);
          const value = jhash(concatenate([addressData(address), portData(port), "\x11"]), seed, modulus);
          const bytes = Buffer.alloc(4);
          bytes.writeUInt32LE(value);
          expected.push(bytes.toString("hex"));
        }
        // Each element begins with its key: two headers of attributes, and the value.
        const elements = (await kernel.read(family, "t")).sets.hashes?.elements.map((text) => text.slice(16, 24)) ?? [];
        for (const value of expected) assert.ok(elements.includes(value), `${value} in ${elements}`);
      });
    });
  }
});
