import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";
import type { TestOutcome } from "../outcome.ts";

/**
 * usage: run-files.ts RESULTS LIMIT-MS TESTS FILE... Runs test files one after the other, and appends what each test came to, a line of JSON each.
 * TESTS is a regular expression for the names of tests, or empty.
 */
const [results = "", limitMs = "", tests = "", ...files] = process.argv.slice(2);

function note(outcome: TestOutcome): void {
  appendFileSync(results, `${JSON.stringify(outcome)}\n`);
}

interface EndedTest {
  readonly name: string;
  readonly skip?: string | boolean;
  readonly details: { readonly type?: string; readonly error?: Error & { readonly failureType?: string } };
}

/** How node:test names what a time limit ended: the test itself, or those that waited for their turn in its suite. */
const cutOff: readonly (string | undefined)[] = ["testTimeoutFailure", "cancelledByParent"];

const chosen = tests === "" ? {} : { testNamePatterns: [new RegExp(tests)] };

for (const path of files) {
  const file = relative(process.cwd(), path);
  note({ kind: "begin", file });
  for await (const event of run({ files: [path], timeout: Number(limitMs), ...chosen })) {
    // For the log: why a program that a test has started ended.
    if (event.type === "test:stderr") process.stderr.write(event.data.message);
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, skip, details } = event.data as EndedTest;
    if (details.type === "suite" && event.type === "test:pass" && skip === undefined) continue;
    if (skip !== undefined && skip !== false) note({ kind: "skipped", file, name, reason: String(skip) });
    else if (event.type === "test:pass") note({ kind: "passed", file, name });
    else if (cutOff.includes(details.error?.failureType)) note({ kind: "cut-off", file, name });
    // A suite whose tests are noted themselves. One whose set-up fails has another type.
    else if (details.error?.failureType !== "subtestsFailed") {
      const cause = details.error?.cause;
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? details.error);
      note({ kind: "failed", file, name, reason });
    }
  }
  note({ kind: "end", file });
}
