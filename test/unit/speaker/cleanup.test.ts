import assert from "node:assert/strict";
import { test } from "node:test";
import { keepRulesRemoved, removeRules } from "../../../speaker/main.ts";
import { FakeClock } from "../../../src/clock/fake.ts";
import { BellhopError } from "../../../src/error/error.ts";
import type { Nft } from "../../../src/nft/nft.ts";

test("rules stay removed: at once, every ten seconds, and once more at the end, whatever failed in between", async () => {
  const [clock, ending] = [new FakeClock(), new AbortController()];
  let runs = 0;
  const nft: Nft = {
    run: async () => {
      runs++;
      if (runs === 1) throw new Error("busy");
    },
  };
  const staying = keepRulesRemoved(ending.signal, clock, nft);
  await clock.advance(1);
  assert.equal(runs, 2, "both families, at once");
  await clock.advance(20_000);
  assert.equal(runs, 6);
  ending.abort();
  await staying;
  assert.equal(runs, 8);
});

test("rules that cannot be removed at the end are reported", async () => {
  const ending = new AbortController();
  ending.abort();
  const nft: Nft = { run: () => Promise.reject(new Error("no right to")) };
  await assert.rejects(keepRulesRemoved(ending.signal, new FakeClock(), nft), /no right to/);
});

test("a kernel without IPv6 has no rules of it to remove", async () => {
  const families: string[] = [];
  const nft: Nft = {
    run: async ({ commands }) => {
      const family = commands[0]?.table.family ?? "";
      families.push(family);
      const cause = { kind: "refused", faults: [{ command: 1, errno: "EOPNOTSUPP" }] };
      if (family === "ip6") throw new BellhopError("NftFailed", "nftables refused the rules", { cause });
    },
  };
  await removeRules(nft);
  assert.deepEqual(families, ["ip", "ip6"]);
});
