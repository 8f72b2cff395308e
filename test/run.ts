import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join, relative } from "node:path";
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

/** Test files, one after the other by their names unless several may run at once. */
interface TestFiles {
  readonly pattern: string;
  /** How many files at once; 1 when left out. */
  readonly concurrency?: number;
  /** The lab that they share (test/e2e/cluster.ts), which is taken down after them. */
  readonly lab?: string;
}

interface TestEvent {
  readonly type: string;
  readonly data?: unknown;
}

/**
 * Stages one after the other, cheapest first. Each has lanes that run at the same time: what uses clusters mostly waits. A lane leaves out the files
 * that a later one names.
 */
const stages: readonly (readonly (readonly TestFiles[])[])[] = [
  [[{ pattern: "test/unit/**/*.test.ts", concurrency: 2 }]],
  [[{ pattern: "test/network/**/*.test.ts", concurrency: 2 }], [{ pattern: "test/lab/**/*.test.ts" }]],
  [
    [{ pattern: "test/e2e/*.test.ts", lab: "e2e-nftables" }],
    [
      { pattern: "test/e2e/faults/*.test.ts", lab: "e2e-faults" },
      { pattern: "test/e2e/*iptables*.test.ts", lab: "e2e-iptables" },
      { pattern: "test/e2e/migrate-*.test.ts", lab: "e2e-migrate" },
    ],
    [
      { pattern: "test/e2e/node-settings.test.ts", lab: "e2e-settings" },
      { pattern: "test/e2e/resilience.test.ts", lab: "e2e-resilience" },
      { pattern: "test/e2e/{ipv6-only,single-stack/ipv6-nftables}.test.ts", lab: "e2e-ipv6-nftables" },
      { pattern: "test/e2e/single-stack/ipv6-iptables.test.ts", lab: "e2e-ipv6-iptables" },
      { pattern: "test/e2e/single-stack/ipv4-nftables.test.ts", lab: "e2e-ipv4-nftables" },
      { pattern: "test/e2e/single-stack/ipv4-iptables.test.ts", lab: "e2e-ipv4-iptables" },
    ],
  ],
];

const stageTimes: [string, number][] = [];
const fileTimes = new Map<string, number>();

/** The lines of node:test's closing summary, in its order. */
const summaryLines = ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo", "duration_ms"] as const;

/**
 * Everything that must hold: lint, types, then all tests as one run with one closing summary. Words on the command line choose
 * test files by parts of their path, and leave lint and types out.
 */
async function runAll(words: readonly string[]): Promise<number> {
  if (words.length === 0) {
    const codes = await progress.step("lint and types", () =>
      Promise.all([
        runProgram(["node_modules/.bin/biome", "check", "--error-on-warnings", "."]),
        runProgram(["node_modules/.bin/tsc", "--noEmit"]),
      ]),
    );
    const code = Math.max(...codes);
    if (code !== 0) return code;
  }
  const totals = new Map<string, number>(summaryLines.map((line) => [line, 0]));
  const report = Readable.from(testEvents(words, totals)).compose(spec());
  report.pipe(process.stdout, { end: false });
  await once(report, "end");
  if (words.length === 0) showSlowest();
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

/** The events of several node:test runs, made to look like one: only the last summary is shown, with all counts added. */
async function* testEvents(words: readonly string[], totals: Map<string, number>): AsyncGenerator<object> {
  const startedMs = performance.now();
  for (const lanes of stages) {
    // The first lane with files is shown while it runs, and the others after it.
    const chosen = chooseFiles(lanes, words).filter((lane) => lane.some(({ files }) => files.length > 0));
    const [first = [], ...others] = chosen.map((lane) => runLane(lane));
    const later = others.map((events) => collectEvents(events));
    const startedStageMs = performance.now();
    for await (const event of first) if (!addToTotals(event, totals)) yield event;
    for (const events of later) for (const event of await events) if (!addToTotals(event, totals)) yield event;
    const patterns = chosen.flat().map(({ pattern }) => pattern);
    if (patterns.length > 0) stageTimes.push([patterns.join(", "), performance.now() - startedStageMs]);
  }
  // Not the sum of all runs: some were at the same time.
  totals.set("duration_ms", performance.now() - startedMs);
  for (const [line, count] of totals) {
    yield { type: "test:diagnostic", data: { nesting: 0, level: "info", message: `${line} ${count}` } };
  }
}

interface ChosenFiles extends TestFiles {
  readonly files: readonly string[];
}

function chooseFiles(lanes: readonly (readonly TestFiles[])[], words: readonly string[]): readonly ChosenFiles[][] {
  const later = new Set<string>();
  const chosen = lanes.toReversed().map((lane) => {
    const found = lane.map((some) => {
      const files = globSync(some.pattern, { cwd: root }).sort();
      return { ...some, files: files.filter((file) => !later.has(file) && words.every((word) => file.includes(word))) };
    });
    for (const { files } of found) for (const file of files) later.add(file);
    return found;
  });
  return chosen.toReversed();
}

async function* runLane(lane: readonly ChosenFiles[]): AsyncGenerator<TestEvent> {
  for (const { files, concurrency = 1, lab } of lane) {
    if (files.length === 0) continue;
    yield* run({ files: [...files], cwd: root, concurrency });
    if (lab !== undefined) await progress.step(`take down lab ${lab}`, () => downLab(lab));
  }
}

async function collectEvents(events: AsyncIterable<TestEvent>): Promise<readonly TestEvent[]> {
  const all: TestEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function addToTotals(event: TestEvent, totals: Map<string, number>): boolean {
  noteFileTime(event);
  if (event.type !== "test:diagnostic") return false;
  const { message, nesting } = event.data as { message: string; nesting: number };
  const [line = "", count = ""] = message.split(" ");
  const before = totals.get(line);
  if (nesting !== 0 || before === undefined || !/^[\d.]+$/.test(count)) return false;
  totals.set(line, before + Number(count));
  return true;
}

/** What takes the time of a whole run: each stage, and the files that took longest. */
function showSlowest(): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(0).padStart(5)} s`;
  const slowest = [...fileTimes].sort(([, left], [, right]) => right - left).slice(0, 20);
  for (const [name, ms] of [...stageTimes, ...slowest]) progress.say(`${seconds(ms)}  ${name}`);
}

function noteFileTime({ type, data }: TestEvent): void {
  if (type !== "test:summary") return;
  const { file, duration_ms: ms } = data as { readonly file?: string; readonly duration_ms: number };
  if (file !== undefined) fileTimes.set(relative(root, file), ms);
}

process.exitCode = await runAll(process.argv.slice(2));
