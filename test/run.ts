import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { Readable } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { downLab } from "./lab/lab.ts";
import { showProgress } from "./lab/progress.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const progress = showProgress(process.stderr);

/** Test files by what they need, cheapest first; files that share a cluster or need the machine's time run one by one. */
const folders = [
  { pattern: "test/unit/**/*.test.ts", concurrency: 2 },
  { pattern: "test/network/**/*.test.ts", concurrency: 1 },
  { pattern: "test/lab/**/*.test.ts", concurrency: 1 },
  { pattern: "test/e2e/**/*.test.ts", concurrency: 1 },
] as const;

/** The labs that e2e tests share (test/e2e/cluster.ts), which a test that was cut off may leave behind as well. */
const sharedLabs = ["e2e-nftables", "e2e-iptables"];

/** The lines of node:test's closing summary, in its order. */
const summaryLines = ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo", "duration_ms"] as const;

/**
 * Everything that must hold: lint, types, then all tests as one run with one closing summary. Words on the command line choose
 * test files by parts of their path, and leave lint and types out.
 */
async function runAll(words: readonly string[]): Promise<number> {
  if (words.length === 0) {
    for (const [title, ...argv] of [
      ["lint", "node_modules/.bin/biome", "check", "--error-on-warnings", "."],
      ["types", "node_modules/.bin/tsc", "--noEmit"],
    ] as const) {
      const code = await progress.step(title, () => runProgram(argv));
      if (code !== 0) return code;
    }
  }
  const totals = new Map<string, number>(summaryLines.map((line) => [line, 0]));
  const report = Readable.from(testEvents(words, totals)).compose(spec());
  report.pipe(process.stdout, { end: false });
  await once(report, "end");
  if (totals.get("tests") === 0) process.stderr.write(`no test has ${words.join(" and ")} in its path\n`);
  const bad = (totals.get("fail") ?? 0) + (totals.get("cancelled") ?? 0);
  return bad > 0 || totals.get("tests") === 0 ? 1 : 0;
}

async function runProgram(argv: readonly string[]): Promise<number> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { cwd: root, stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}

/** The events of one node:test run per folder, made to look like one: only the last summary is told, with all counts added. */
async function* testEvents(words: readonly string[], totals: Map<string, number>): AsyncGenerator<object> {
  for (const { pattern, concurrency } of folders) {
    const files = globSync(pattern, { cwd: root }).filter((file) => words.every((word) => file.includes(word)));
    if (files.length === 0) continue;
    for await (const event of run({ files: files.sort(), cwd: root, concurrency })) {
      if (!addToTotals(event, totals)) yield event;
    }
    if (pattern.startsWith("test/e2e")) await takeDownLabs();
  }
  for (const [line, count] of totals) {
    yield { type: "test:diagnostic", data: { nesting: 0, level: "info", message: `${line} ${count}` } };
  }
}

function addToTotals(event: { type: string; data?: unknown }, totals: Map<string, number>): boolean {
  if (event.type !== "test:diagnostic") return false;
  const { message, nesting } = event.data as { message: string; nesting: number };
  const [line = "", count = ""] = message.split(" ");
  const before = totals.get(line);
  if (nesting !== 0 || before === undefined || !/^[\d.]+$/.test(count)) return false;
  totals.set(line, before + Number(count));
  return true;
}

async function takeDownLabs(): Promise<void> {
  for (const name of sharedLabs) await progress.step(`take down lab ${name}`, () => downLab(name));
}

process.exitCode = await runAll(process.argv.slice(2));
