import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../../../src/clock/fake.ts";
import { LeadershipTerm, type TermPart } from "../../../../src/kube/leadership-term.ts";

function part(name: string, log: string[], ready: Promise<void> = Promise.resolve()): TermPart {
  return {
    start: async () => {
      log.push(`start ${name}`);
      await ready;
    },
    stop: () => void log.push(`stop ${name}`),
  };
}

test("parts start one after the other, each when the one before it is ready", async () => {
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  const term = new LeadershipTerm();
  const begun = term.begin([part("a", log, ready.promise), part("b", log)]);
  await settle();
  assert.deepEqual([log, term.active], [["start a"], true]);
  ready.resolve();
  await begun;
  assert.deepEqual(log, ["start a", "start b"]);
});

test("a term that ends while its parts start begins no further part, also where the next term has begun", async () => {
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  const term = new LeadershipTerm();
  const begun = term.begin([part("a", log, ready.promise), part("b", log)]);
  await term.end();
  assert.equal(term.active, false);
  await term.begin([part("c", log)]);
  ready.resolve();
  await begun;
  assert.deepEqual(log, ["start a", "stop a", "stop b", "start c"]);
});
