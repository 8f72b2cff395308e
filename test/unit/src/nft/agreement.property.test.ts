import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeTransaction } from "../../../../src/nft/encode/transaction.ts";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { printTransaction } from "../../../../src/nft/print.ts";
import { type TraceOutcome, tracePacket } from "../../../../src/nft/tracer.ts";
import { someTable } from "./generated-rules.ts";
import { somePacket } from "./generated-values.ts";
import { KernelMachine, type MachineOutcome } from "./kernel-machine.ts";

function comparable({ end, refusal, packet, connection }: TraceOutcome): MachineOutcome {
  const { saddr, daddr, sport, dport, hopLimit = 64, mark } = packet;
  const ends = { dropped: "dropped", refused: refusal ?? "unreachable" } as const;
  return {
    end: end === "dropped" || end === "refused" ? ends[end] : "passed",
    ...{ saddr, daddr, sport, dport, hopLimit, mark },
    ctMark: connection.mark,
    translated: connection.translated,
  };
}

for (const family of ["ip", "ip6"] as const) {
  test(`${family}: the tracer says of each packet what the encoded rules do with it`, async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(someTable(family), fc.array(somePacket(family), { minLength: 5 }), async (commands, packets) => {
        const nft = new FakeNft();
        await nft.run({ commands });
        const machine = new KernelMachine(encodeTransaction({ commands }).bytes);
        for (const packet of packets) {
          const traced = comparable(tracePacket([...nft.tables.values()], packet, { local: [], random: () => 0.7 }));
          const run = machine.run("first", packet, () => 0.7);
          ends.add(run.translated ? "translated" : run.end);
          assert.deepEqual(traced, run, `${JSON.stringify(packet)}\n${printTransaction({ commands })}`);
        }
      }),
      { numRuns: 300 },
    );
    // The rules are not so strict that nothing happens.
    assert.deepEqual([...ends].sort(), ["dropped", "passed", "reset", "translated", "unreachable"]);
  });
}
