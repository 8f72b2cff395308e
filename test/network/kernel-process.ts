import { createInterface } from "node:readline";
import { createKernel } from "../../speaker/kernel/kernel.ts";
import { systemClock } from "../../src/clock/clock.ts";
import { silentLogger } from "../../src/log/log.ts";
import { type KernelQuestion, readQuestion, type WriteDuringSearch } from "./remote-kernel.ts";

/** The kernel thread in its namespace: answers each line of JSON on standard input with a line of JSON. */
const events: string[] = [];
const kernel = createKernel({
  log: silentLogger,
  clock: systemClock,
  changes: {
    tableChanged: (table, difference) => events.push(`${table.family} ${table.name}: ${difference}`),
    networkChanged: () => events.push("network"),
    kernelDied: (error) => events.push(`died: ${error.message}`),
  },
});
await kernel.start();
console.log("ready");

async function answer(question: KernelQuestion): Promise<unknown> {
  switch (question.kind) {
    case "run":
      return kernel.run(question.transaction);
    case "deleteStale":
      return kernel.deleteStale(question.family, question.rules);
    case "readElements":
      return kernel.readElements(question.table, question.set);
    case "deleteDead":
      return kernel.deleteDead(question.family, question.dead);
    case "writeDuringSearch":
      return writeDuringSearch(question);
    case "events":
      return events.splice(0);
    case "interfaces":
      return kernel.network.interfaces.map(({ name }) => name);
    case "gateways":
      return kernel.network.routes.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway.join(".")]));
  }
}

async function writeDuringSearch({
  family,
  rules,
  transaction,
}: Extract<KernelQuestion, { kind: "writeDuringSearch" }>): Promise<WriteDuringSearch> {
  const ended: ("write" | "search")[] = [];
  const before = process.memoryUsage.rss();
  const search = kernel.deleteStale(family, rules).finally(() => ended.push("search"));
  const write = kernel.run(transaction).finally(() => ended.push("write"));
  const [deleted] = await Promise.all([search, write]);
  return { ended, deleted, grownMiB: (process.memoryUsage.rss() - before) / 2 ** 20 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await answer(readQuestion(line)).then(
    (value) => ({ value: value ?? null }),
    (error) => ({ code: error.code, message: error.message, cause: error.cause }),
  );
  console.log(JSON.stringify(result, (_, part) => (part instanceof Uint8Array ? { bytes: [...part] } : part)));
}
