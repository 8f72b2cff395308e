import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { downLab } from "./lab/lab.ts";
import { showProgress } from "./lab/progress.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const progress = showProgress(process.stderr);

// Each test file is a process of its own. What these compile, a third of their work, is kept for the next ones.
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules/.cache/node");

interface TestFolder {
  readonly pattern: string;
  /** How many files at once. */
  readonly concurrency: number;
  /** What runs at the same time, one file after the other: in clusters of its own, and mostly waiting. */
  readonly beside?: readonly string[];
}

interface TestEvent {
  readonly type: string;
  readonly data?: unknown;
}

/** Test files by what they need, cheapest first; files that share a cluster or need the machine's time run one by one. */
const folders: readonly TestFolder[] = [
  { pattern: "test/unit/**/*.test.ts", concurrency: 2 },
  { pattern: "test/network/**/*.test.ts", concurrency: 1 },
  { pattern: "test/lab/**/*.test.ts", concurrency: 1 },
  { pattern: "test/e2e/*.test.ts", concurrency: 1, beside: ["test/e2e/faults/*.test.ts", "test/e2e/*ipv6*.test.ts"] },
];

/** The labs of e2e tests (test/e2e/cluster.ts, test/e2e/faults), which a test that was cut off may leave behind. */
const labs = ["e2e-nftables", "e2e-iptables", "e2e-ipv6", "e2e-faults"];

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
  const startedMs = performance.now();
  for (const { pattern, concurrency, beside = [] } of folders) {
    const others = beside.flatMap((one) => chooseFiles(one, words));
    const files = chooseFiles(pattern, words).filter((file) => !others.includes(file));
    if (files.length + others.length === 0) continue;
    const later = collectEvents(runFiles(others, 1));
    for await (const event of runFiles(files, concurrency)) if (!addToTotals(event, totals)) yield event;
    for (const event of await later) if (!addToTotals(event, totals)) yield event;
    if (pattern.startsWith("test/e2e")) await takeDownLabs();
  }
  // Not the sum of all runs: some were at the same time.
  totals.set("duration_ms", performance.now() - startedMs);
  for (const [line, count] of totals) {
    yield { type: "test:diagnostic", data: { nesting: 0, level: "info", message: `${line} ${count}` } };
  }
}

function chooseFiles(pattern: string, words: readonly string[]): string[] {
  const files = globSync(pattern, { cwd: root });
  return files.filter((file) => words.every((word) => file.includes(word))).sort();
}

async function* runFiles(files: string[], concurrency: number): AsyncGenerator<TestEvent> {
  if (files.length > 0) yield* run({ files, cwd: root, concurrency });
}

async function collectEvents(events: AsyncIterable<TestEvent>): Promise<readonly TestEvent[]> {
  const all: TestEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function addToTotals(event: TestEvent, totals: Map<string, number>): boolean {
  if (event.type !== "test:diagnostic") return false;
  const { message, nesting } = event.data as { message: string; nesting: number };
  const [line = "", count = ""] = message.split(" ");
  const before = totals.get(line);
  if (nesting !== 0 || before === undefined || !/^[\d.]+$/.test(count)) return false;
  totals.set(line, before + Number(count));
  return true;
}

async function takeDownLabs(): Promise<void> {
  for (const name of labs) await progress.step(`take down lab ${name}`, () => downLab(name));
}

process.exitCode = await runAll(process.argv.slice(2));
