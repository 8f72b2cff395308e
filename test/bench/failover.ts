import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { InvalidArgumentError } from "commander";
import type { Api } from "../e2e/api.ts";
import { monotonicMs } from "../e2e/probe/monotonic.ts";
import { type RunningProgram, startClient, startObserver } from "../e2e/probe/programs.ts";
import type { ClientOptions } from "../e2e/probe/steady-client.ts";
import { startWeb } from "../e2e/workload.ts";
import { LabError } from "../lab/error.ts";
import { showProgress } from "../lab/progress.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { withBenchLab } from "./bench-lab.ts";
import { changes, drainingApp, drainingSeconds } from "./failover/changes.ts";
import { type Cast, faults, type PreparedFault } from "./failover/faults.ts";
import {
  type FamilyName,
  familyNames,
  nodeOfMac,
  type PathName,
  pathSpecs,
  placeAddresses,
  ranking,
  type Stage,
  setStage,
  waitForCluster,
} from "./failover/stage.ts";
import { formatTables, type TrialRecord } from "./failover/table.ts";
import { readTrial, type TargetName, type TrialFigures } from "./failover/timeline.ts";

/**
 * What clients notice when a node fails, and when addresses are moved on purpose: `npm run bench -- failover [--trials N] [--faults a,b]
 * [--changes a,b] [--paths nodeport,pods] [--families ipv4,ipv6] [--seconds N] [--requests N] [--output FILE]`. Makes a lab of its own.
 *
 * A client on the LAN and one behind the router open a new connection to one address every 10 ms, and keep 15 connections open each; each trial asks
 * by the next path and family. Another host on the LAN asks every 10 ms, by ARP and NDP, who has the address. Between two trials everything is
 * repaired, and the next one waits until the cluster is whole, all addresses are on their nodes, and every request is answered. `--seconds` is how
 * long is measured after a fault, `--requests` how many requests are sent around a planned change. `--output` appends every trial to a file;
 * `--table FILE...` prints the tables of such files, and does nothing else.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    trials: { type: "string", default: "20" },
    faults: { type: "string", default: Object.keys(faults).join(",") },
    changes: { type: "string", default: Object.keys(changes).join(",") },
    paths: { type: "string", default: Object.keys(pathSpecs).join(",") },
    families: { type: "string", default: familyNames.join(",") },
    seconds: { type: "string", default: "10" },
    requests: { type: "string", default: "10000" },
    output: { type: "string" },
    table: { type: "boolean", default: false },
  },
});
const clients = ["client", "remote"] as const;
const intervalMs = 10;
/** Below the first retransmission of a SYN, 1 s (RFC 6298 section 2): a connection whose first packet is lost counts as failed. */
const timeoutMs = 900;
/** Open connections to each address from each client; a request over each so often. */
const connections = 15;
const connectionIntervalMs = 500;
const connectionTimeoutMs = 6_000;
/** Good requests before a fault. */
const leadMs = 1_500;
const progress = showProgress(process.stderr);

function chosen(option: string, known: readonly string[], text: string): readonly string[] {
  const names = text.split(",").filter((name) => name !== "" && name !== "none");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`${option}: ${unknown.join(", ")}: choose from ${known.join(", ")}`);
  return names;
}

const trials = wholeNumber("--trials", options.trials, { from: 1, to: 1_000 });
const seconds = wholeNumber("--seconds", options.seconds, { from: 1, to: 3_600 });
const requests = wholeNumber("--requests", options.requests, { from: 1, to: 1_000_000 });
const faultNames = chosen("--faults", Object.keys(faults), options.faults);
const changeNames = chosen("--changes", Object.keys(changes), options.changes);
const paths = chosen("--paths", Object.keys(pathSpecs), options.paths) as readonly PathName[];
const families = chosen("--families", familyNames, options.families) as readonly FamilyName[];

function git(...argv: readonly string[]): string {
  return execFileSync("git", argv, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
}

type AskedName = Omit<TargetName, "client">;

class FailoverBench {
  readonly #stage: Stage;
  readonly #api: Api;
  readonly #records: TrialRecord[] = [];
  readonly #version = `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "-uno") === "" ? "" : "+"}`;
  /** The announcer is another node each time. */
  #turn = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#api = stage.api;
  }

  get records(): readonly TrialRecord[] {
    return this.#records;
  }

  async measureFault(name: string, trial: number): Promise<boolean> {
    const fault = faults[name];
    if (fault === undefined) return true;
    const names = this.#wayOf(trial, false);
    const cast = await this.#prepare(names);
    const prepared = await fault.prepare(cast);
    return this.#measure({ kind: "fault", name, words: fault.words, trial }, cast, prepared, names, () =>
      sleep(seconds * 1_000),
    );
  }

  async measureChange(name: string, trial: number): Promise<boolean> {
    const change = changes[name];
    if (change === undefined) return true;
    const names = this.#wayOf(trial, change.local === true);
    const cast = await this.#prepare(names);
    const prepared = await change.prepare(
      cast,
      names.map(({ address }) => address),
    );
    const askedMs = (requests / (clients.length * names.length)) * intervalMs - leadMs;
    const startMs = monotonicMs();
    return this.#measure({ kind: "change", name, words: change.words, trial }, cast, prepared, names, async () => {
      await sleep(Math.max(3_000, askedMs - (monotonicMs() - startMs)));
    });
  }

  /** One way at a time: more requests would keep two cores so busy that they are what is measured. */
  #wayOf(trial: number, local: boolean): readonly AskedName[] {
    const ways = this.#stage.names.filter(({ path }) => path.startsWith("local-") === local);
    return [ways[(trial - 1) % ways.length]].filter((way) => way !== undefined);
  }

  /** Brings everything into the state in which a trial begins, and returns who plays which part. */
  async #prepare(names: readonly AskedName[]): Promise<Cast> {
    const { nodes } = this.#api.lab;
    const [announcer = "", next = "", ...others] = ranking(nodes, nodes[this.#turn++ % nodes.length] ?? "");
    await waitForCluster(this.#api);
    await placeAddresses(this.#stage, announcer);
    await this.#forgetNeighbours(names);
    for (let attempt = 1; ; attempt++) {
      const fault = await this.#findFault(names, announcer);
      if (fault === undefined) return { api: this.#api, announcer, next, others };
      if (attempt === 10) throw new LabError("timeout", `before a trial: ${fault}`);
      await sleep(1_000);
    }
  }

  /**
   * Clients and router ask again who has the addresses. An entry that every answer confirms stays, even where it names a node that does not
   * announce the address any longer but forwards its packets: then a fault of the announcer would not be noticed.
   */
  async #forgetNeighbours(names: readonly AskedName[]): Promise<void> {
    for (const host of ["client", "router"]) {
      for (const { address } of names) await this.#api.lab.exec(host, ["ip", "neighbour", "flush", "to", address]);
    }
  }

  /** Asks everything for a moment. Returns what is wrong before the trial; undefined when nothing is. */
  async #findFault(names: readonly AskedName[], announcer: string): Promise<string | undefined> {
    const { lab } = this.#api;
    const addresses = [...new Set(names.map(({ address }) => address))];
    const observer = startObserver(lab, addresses, intervalMs);
    const running = clients.map((host) =>
      startClient(lab, host, { ...this.#clientOptions(names), connections: 0, count: 30 }),
    );
    const reports = await Promise.all(running.map(({ report }) => report));
    observer.stop();
    const failed = reports.flatMap(({ requests }) => requests.flatMap(({ error }) => error ?? []));
    if (failed.length > 0) return `${failed.length} requests failed: ${[...new Set(failed)].join(", ")}`;
    const seen = await observer.report;
    const macs = addresses.flatMap((address) => [
      ...new Set(
        seen.filter((one) => one.address === address).map(({ mac }) => `${address} ${nodeOfMac(lab.nodes, mac)}`),
      ),
    ]);
    const expected = addresses.map((address) => `${address} ${announcer}`);
    return macs.join() === expected.join() ? undefined : `${macs.join(", ")} answer, not ${announcer}`;
  }

  #clientOptions(names: readonly AskedName[]): ClientOptions {
    const targets = names.map(
      ({ address }) => ({ protocol: "tcp", host: address, port: 80, question: "/hostname" }) as const,
    );
    return { targets, intervalMs, timeoutMs, connections, connectionIntervalMs, connectionTimeoutMs };
  }

  /** Returns whether the trial counts: nothing but the fault moved the addresses. */
  async #measure(
    head: Pick<TrialRecord, "kind" | "name" | "words" | "trial">,
    cast: Cast,
    prepared: PreparedFault,
    names: readonly AskedName[],
    rest: () => Promise<void>,
  ): Promise<boolean> {
    const { lab } = this.#api;
    const [load = 0] = loadavg();
    const addresses = [...new Set(names.map(({ address }) => address))];
    const observer = startObserver(lab, addresses, intervalMs);
    const running = clients.map((host) => startClient(lab, host, this.#clientOptions(names)));
    const all: readonly RunningProgram<unknown>[] = [observer, ...running];
    let figures: TrialFigures;
    let strikeMs: number;
    try {
      await Promise.all(all.map(({ ready }) => ready));
      await sleep(leadMs);
      const faultMs = monotonicMs();
      await prepared.strike();
      strikeMs = monotonicMs() - faultMs;
      await rest();
      for (const program of all) program.stop();
      const seen = await observer.report;
      const reports = await Promise.all(running.map(({ report }) => report));
      const views = clients.map((client, index) => ({
        client,
        report: reports[index] ?? { requests: [], connections: 0, broken: [] },
      }));
      figures = readTrial(views, names, seen, faultMs);
    } finally {
      for (const program of all) program.stop();
      await prepared.repair();
    }
    const before = [...new Set(figures.answerers.flatMap((one) => one.before))].map((mac) => nodeOfMac(lab.nodes, mac));
    const moved = (head.kind === "fault" ? faults[head.name] : changes[head.name])?.moved === true;
    if (before.length !== 1 || (!moved && before[0] !== cast.announcer)) {
      progress.say(
        `${head.name}: ${before.join(", ")} answered before it, not ${cast.announcer}; this trial does not count`,
      );
      return false;
    }
    this.#keep({ ...head, version: this.#version, announcer: cast.announcer, load, strikeMs, figures });
    return true;
  }

  #keep(record: TrialRecord): void {
    this.#records.push(record);
    if (options.output !== undefined) appendFileSync(options.output, `${JSON.stringify(record)}\n`);
    const { targets, answerers, connections: open, broken } = record.figures;
    const worst = Math.max(...targets.map(({ gapMs }) => gapMs ?? Number.POSITIVE_INFINITY));
    const late = targets.reduce((sum, { failedLate }) => sum + failedLate, 0);
    const lateAt = targets.flatMap(({ failedLateAtMs = [] }) => failedLateAtMs.map((atMs) => atMs.toFixed(0)));
    const changed = answerers.map(({ changedMs }) => changedMs?.toFixed(0) ?? "–").join(" ");
    const text = [
      `${record.name} on ${record.announcer}: longest gap ${worst.toFixed(0)} ms`,
      late === 0 ? "0 failed after 1 s" : `${late} failed after 1 s, at ${lateAt.slice(0, 10).join(" ")} ms`,
      `another device answers after ${changed} ms`,
      `${open - broken} of ${open} connections kept`,
    ];
    progress.say(text.join(", "));
  }
}

async function measure(api: Api): Promise<void> {
  const groups = [{ prefix: "", paths, families, spec: {}, app: "web" }];
  if (changeNames.some((name) => changes[name]?.local === true)) {
    await startWeb(api, drainingApp, {}, drainingSeconds);
    groups.push({ prefix: "local-", paths, families, spec: { externalTrafficPolicy: "Local" }, app: drainingApp });
  }
  const bench = new FailoverBench(await setStage(api, groups));
  try {
    for (const name of faultNames) await repeat(name, trials, (trial) => bench.measureFault(name, trial));
    for (const name of changeNames) {
      const count = Math.min(trials, changes[name]?.mostTrials ?? trials);
      await repeat(name, count, (trial) => bench.measureChange(name, trial));
    }
  } finally {
    process.stdout.write(`${formatTables(bench.records)}${left.map((line) => `${line}\n`).join("")}`);
  }
}

/** What went wrong beside the trials, for the end of the output. */
const left: string[] = [];

/** Runs all trials; one that cannot begin or does not count is tried again, twice at the most, and then left out. */
async function repeat(name: string, count: number, work: (trial: number) => Promise<boolean>): Promise<void> {
  for (let trial = 1; trial <= count; trial++) {
    await progress.step(`${name}, ${trial} of ${count}`, async () => {
      for (let attempt = 1; attempt <= 3; attempt++) {
        try {
          if (await work(trial)) return;
        } catch (error) {
          if (!(error instanceof LabError)) throw error;
          progress.say(`${name}: ${error.message}`);
          left.push(`${name}, trial ${trial}, attempt ${attempt} does not count: ${error.message}`);
        }
      }
    });
  }
}

if (options.table) {
  const lines = positionals
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").trim().split("\n"));
  process.stdout.write(formatTables(lines.map((line) => JSON.parse(line) as TrialRecord)));
} else await withBenchLab(progress, measure);
