import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findMissingFeatures } from "../../../../speaker/dataplane/self-test.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import type { NftCommand } from "../../../../src/nft/transaction.ts";

/** A kernel that refuses transactions with such a command. */
function kernelWithout(lacks: (command: NftCommand) => boolean): FakeNft {
  const nft = new FakeNft();
  const run = nft.run.bind(nft);
  nft.run = async (transaction) => {
    if (transaction.commands.some(lacks)) throw new BellhopError("NftFailed", "EOPNOTSUPP");
    await run(transaction);
  };
  return nft;
}

describe("findMissingFeatures", () => {
  test("a kernel that has everything lacks nothing, and keeps no table", async () => {
    const nft = new FakeNft();
    assert.deepEqual(await findMissingFeatures(nft), []);
    assert.equal(nft.tables.size, 0);
    assert.equal(nft.accepted.length, 4);
  });

  for (const [name, lacks, features] of [
    [
      "reject at prerouting",
      (command: NftCommand) => command.kind === "addRule" && command.rule.some(({ kind }) => kind === "reject"),
      [
        "IPv4 reject at prerouting (Linux 5.9, module nft_reject)",
        "IPv4 routing and refusing packets of the node itself (chains of type route, module nft_reject)",
        "IPv4 passing packets on to other nodes (Linux 4.10, modules nft_dup_ipv4 and nft_dup_ipv6)",
        "IPv4 destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
        "IPv6 reject at prerouting (Linux 5.9, module nft_reject)",
        "IPv6 routing and refusing packets of the node itself (chains of type route, module nft_reject)",
        "IPv6 passing packets on to other nodes (Linux 4.10, modules nft_dup_ipv4 and nft_dup_ipv6)",
        "IPv6 destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
      ],
    ],
    [
      "NAT of IPv6",
      ({ table, ...command }: NftCommand) =>
        table.family === "ip6" && command.kind === "addChain" && command.base?.type === "nat",
      [
        "IPv6 destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
        "IPv6 masquerading (modules nft_chain_nat and nft_masq)",
      ],
    ],
    [
      "copies of packets",
      (command: NftCommand) => command.kind === "addRule" && command.rule.some(({ kind }) => kind === "dup"),
      [
        "IPv4 passing packets on to other nodes (Linux 4.10, modules nft_dup_ipv4 and nft_dup_ipv6)",
        "IPv6 passing packets on to other nodes (Linux 4.10, modules nft_dup_ipv4 and nft_dup_ipv6)",
      ],
    ],
    [
      "hashes",
      (command: NftCommand) => command.kind === "addRule" && JSON.stringify(command.rule).includes('"jhash"'),
      [
        "IPv4 destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
        "IPv6 destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
      ],
    ],
    [
      "deletion by packets",
      (command: NftCommand) => command.kind === "addRule" && command.rule.some(({ kind }) => kind === "delete"),
      [
        "IPv4 elements that packets add to maps and delete (Linux 5.4)",
        "IPv6 elements that packets add to maps and delete (Linux 5.4)",
      ],
    ],
  ] as const) {
    test(`a kernel without ${name} is recognized`, async () => {
      const found = await findMissingFeatures(kernelWithout(lacks));
      assert.deepEqual(
        found.map(({ family, feature }) => `${family} ${feature}`),
        features,
      );
    });
  }

  test("a kernel without nftables lacks all of it", async () => {
    const found = await findMissingFeatures(kernelWithout(() => true));
    assert.equal(found.length, 26);
    assert.equal(found[0]?.reason, "EOPNOTSUPP");
  });

  test("the end of the kernel thread is not a missing feature", async () => {
    const nft = new FakeNft();
    nft.run = () => Promise.reject(new BellhopError("WorkerFailed", "ended"));
    await assert.rejects(findMissingFeatures(nft), { code: "WorkerFailed" });
  });
});
