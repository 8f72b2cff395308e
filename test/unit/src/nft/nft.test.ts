import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { createNft } from "../../../../src/nft/nft.ts";
import { testNftContract } from "./nft-contract.ts";

testNftContract("fake", async () => new FakeNft());

for (const [name, command] of [
  ["is not there", ["/nonexistent/nft"]],
  ["refuses", ["/bin/sh", "-c", "echo no such thing >&2; exit 1", "nft"]],
] as const) {
  test(`an nft that ${name} is an error with a code`, async () => {
    await assert.rejects(createNft({ command }).run({ commands: [] }), { code: "NftFailed" });
  });
}
