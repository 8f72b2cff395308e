import assert from "node:assert/strict";
import type { Speaker } from "../../../../src/api/speaker.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { netfilterFamilies } from "../../../../src/netlink/netfilter.ts";
import { settings } from "../speaker-fixture.ts";
import { story } from "./story.ts";

story(
  "while the rules cannot be written nothing new is announced, what is announced stays, and what moved is withdrawn",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.claim("192.0.2.201", ["n1"]);
    await fixture.start();
    assert.equal(fixture.responder.announced.length, 2);
    fixture.nft.broken = "no memory";
    await fixture.setOwners("192.0.2.201", ["n2"]);
    await fixture.claim("192.0.2.202", ["n1"]);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    fixture.nft.broken = undefined;
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.202 eth0"]);
  },
);

story("an address whose rules are written is taken over while other rules cannot be written", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  fixture.nft.broken = "no memory";
  await fixture.serve("192.0.2.201", ["n1"], "other");
  await fixture.settle();
  await fixture.setOwners("192.0.2.200", ["n1"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
});

story("rules of one Service that the kernel refuses keep no other address from being announced", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const poison = "\u00c0\u0000\u0002\u0042";
  fixture.nft.refusal = (_, { key }) => (key.startsWith(poison) ? "unnamed" : undefined);
  await fixture.serve("192.0.2.66", ["n1"], "poison");
  await fixture.serve("192.0.2.201", ["n1"], "other");
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
  const said = async () => {
    await fixture.settle();
    const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
    const condition = (await fixture.virtualIp("192.0.2.66")).status?.conditions?.[0];
    return [status?.readiness?.refusedServices, condition?.status, condition?.reason];
  };
  assert.deepEqual(await said(), [["default/poison"], "False", "RulesRefused"]);
  fixture.nft.refusal = () => undefined;
  await fixture.clock.advance(10_000);
  assert.deepEqual(await said(), [[], "True", "Written"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0", "192.0.2.66 eth0"]);
});

story("what moves away is withdrawn, and what moves here is announced, while a write hangs", async (fixture) => {
  await fixture.populate("n1");
  await fixture.serve("192.0.2.201", ["n2"], "other");
  await fixture.start();
  const run = fixture.nft.run.bind(fixture.nft);
  const hanging = Promise.withResolvers<void>();
  fixture.nft.run = async (transaction) => {
    await hanging.promise;
    await run(transaction);
  };
  await fixture.serve("192.0.2.202", ["n1"], "new");
  await fixture.settle();
  await fixture.setOwners("192.0.2.200", ["n2"]);
  await fixture.setOwners("192.0.2.201", ["n1"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.201 eth0"]);
  hanging.resolve();
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.201 eth0", "192.0.2.202 eth0"]);
});

story(
  "a table that another program has changed is replaced at once, and the other family is left alone",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const written = fixture.journal.length;
    const changes = fixture.kernel.options?.changes;
    changes?.tableChanged({ family: netfilterFamilies.ip, name: "bellhop" }, "the table is gone");
    await fixture.settle();
    assert.deepEqual(fixture.journal.slice(written), ["rules ip"]);
    assert.equal(fixture.nft.accepted.at(-1)?.commands[1]?.kind, "deleteTable");
    assert.match(await fixture.registry.metrics(), /^bellhop_nft_foreign_changes_total\{family="IPv4"\} 1$/m);
    // A program that does it again and again is not fought without a pause.
    changes?.tableChanged({ family: netfilterFamilies.ip, name: "bellhop" }, "the table is gone");
    await fixture.settle();
    assert.deepEqual(fixture.journal.slice(written), ["rules ip"]);
    await fixture.clock.advance(250);
    assert.deepEqual(fixture.journal.slice(written), ["rules ip", "rules ip"]);
  },
);

story(
  "when another program flushes the tables of both families again, neither waits for the other",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const flush = (): readonly string[] => {
      for (const family of [netfilterFamilies.ip, netfilterFamilies.ip6])
        fixture.kernel.options?.changes.tableChanged({ family, name: "bellhop" }, "the table is gone");
      return fixture.journal.splice(0);
    };
    flush();
    await fixture.settle();
    assert.deepEqual(flush().toSorted(), ["rules ip", "rules ip6"]);
    await fixture.clock.advance(250);
    assert.deepEqual(fixture.journal.toSorted(), ["rules ip", "rules ip6"]);
  },
);

story("the rules are replaced now and then", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const before = fixture.nft.accepted.length;
  await fixture.clock.advance(settings.resyncSeconds * 1100);
  await fixture.settle();
  assert.ok(fixture.nft.accepted.length > before);
  assert.equal(fixture.nft.accepted.at(-2)?.commands[1]?.kind, "deleteTable");
});
