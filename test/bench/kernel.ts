import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { showProgress } from "../lab/progress.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { Namespace } from "../network/namespace.ts";
import { Program } from "../network/program.ts";
import type { Measured, Measurement } from "./kernel/dataplane-process.ts";
import { speakerNodeOptions } from "./measured-node.ts";
import { PairedFigures } from "./services/paired-figures.ts";
import { extractVersion, presentVersion, type Version } from "./services/version.ts";

/**
 * What the rules of a node cost, beside the version before: `npm run bench -- kernel [--before REF] [--trials N] [--only PART,...]`. Needs root and
 * nftables, and no cluster. Each version has a process of its own in a network namespace of its own, with the real kernel, and both are measured in
 * turn. `--before none` measures only this version. The parts:
 *
 * - `elements`: 1, 1,000 and 100,000 endpoints of this node move, so that as many elements of a map are deleted, and as many added;
 * - `load`: the rules of 10,000 Services with 10 endpoints each on other nodes, at first and when the table is replaced; then one of them changes;
 * - `foreign`: the same with 1,000 Services beside 20,000 chains of another program, and how soon the table is there again after another program
 *   has deleted it. The version before netlink does not notice that.
 */
const { values: options } = parseArgs({
  options: {
    before: { type: "string", default: "e1723a5" },
    trials: { type: "string", default: "3" },
    only: { type: "string", default: "elements,load,foreign" },
  },
});
const trials = wholeNumber("--trials", options.trials, { from: 1, to: 1_000 });
const parts = new Set(options.only.split(","));
const foreignChains = 20_000;
const progress = showProgress(process.stderr);
const figures = new PairedFigures();
const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));

/** One version in a namespace of its own. */
class MeasuredVersion {
  readonly version: Version;
  readonly namespace: Namespace;
  readonly #program: Program;

  private constructor(version: Version, namespace: Namespace) {
    this.version = version;
    this.namespace = namespace;
    const environment = { ...process.env, NODE_OPTIONS: speakerNodeOptions(version.checkout) };
    this.#program = new Program(namespace, "../bench/kernel/dataplane-process.ts", [version.checkout], environment);
  }

  static async start(version: Version): Promise<MeasuredVersion> {
    const started = new MeasuredVersion(version, await Namespace.create(version.name));
    await started.#program.line();
    return started;
  }

  async measure(measurement: Measurement): Promise<Measured> {
    return JSON.parse(await this.#program.say(JSON.stringify(measurement)));
  }

  /** Measures, and keeps the times under this title. */
  async note(title: string, measurement: Measurement): Promise<Measured> {
    const measured = await this.measure(measurement);
    for (const ms of measured.ms) figures.note(this.version.name, `${title}, ms`, ms);
    return measured;
  }

  end(): void {
    this.#program.kill();
    this.namespace.destroy();
  }
}

/** Does the work with each version in turn, as often as there are trials; each begins with an empty kernel. */
async function inTurn(title: string, count: number, work: (measured: MeasuredVersion) => Promise<void>): Promise<void> {
  for (let trial = 1; trial <= count; trial++) {
    for (const version of versions) {
      await progress.step(`${title}, ${version.name}, ${trial} of ${count}`, async () => {
        const measured = await MeasuredVersion.start(version);
        try {
          await work(measured);
        } finally {
          measured.end();
        }
      });
    }
  }
}

async function measureElements(measured: MeasuredVersion): Promise<void> {
  for (const [count, services, repeats] of [
    [1, 1, 100],
    [1_000, 10, 10],
    [100_000, 1_000, 2],
  ] as const) {
    const endpoints = count / services;
    // The first one adds.
    await measured.measure({ kind: "move", services, endpoints, trials: 1 });
    const title = `${count.toLocaleString("en")} endpoints move`;
    await measured.note(title, { kind: "move", services, endpoints, trials: repeats });
  }
}

async function measureLoad(measured: MeasuredVersion): Promise<void> {
  const { name } = measured.version;
  const title = "first rules of 10,000 Services";
  const first = await measured.note(title, { kind: "load", services: 10_000, endpoints: 10 });
  figures.note(name, `${title}: of that encoding and the kernel, or printing and nft, ms`, first.transactionMs);
  figures.note(name, `${title}: CPU of the process without nft, ms`, first.cpuMs);
  figures.note(name, `${title}: highest memory beyond that before, MiB`, first.peakMiB);
  figures.note(name, `${title}: memory kept, MiB`, first.keptMiB);
  const again = "table of 10,000 Services replaced";
  const replaced = await measured.note(again, { kind: "replace" });
  figures.note(name, `${again}: of that encoding and the kernel, or printing and nft, ms`, replaced.transactionMs);
  await measured.measure({ kind: "move", services: 1, endpoints: 10, trials: 5 });
  await measured.note("one of 10,000 Services changed", { kind: "move", services: 1, endpoints: 10, trials: 100 });
}

/** Chains with a rule each, to which a map leads, as a service proxy makes them. */
function foreignRules(): string {
  const chains = Array.from({ length: foreignChains }, (_, index) => `add chain ip other c${index}`);
  const rules = Array.from({ length: foreignChains }, (_, index) => `add rule ip other c${index} counter accept`);
  return ["add table ip other", ...chains, ...rules, ""].join("\n");
}

async function measureForeign(measured: MeasuredVersion): Promise<void> {
  await measured.namespace.sh(`nft -f ${join(folder, "foreign.nft")}`);
  const beside = `beside ${foreignChains.toLocaleString("en")} foreign chains`;
  await measured.note(`${beside}: first rules of 1,000 Services`, { kind: "load", services: 1_000, endpoints: 10 });
  const change: Measurement = { kind: "move", services: 1, endpoints: 10, trials: 50 };
  await measured.note(`${beside}: one of 1,000 Services changed`, change);
  if (measured.version.name === "before") return;
  for (let flush = 0; flush < 5; flush++)
    await measured.note(`${beside}: from the start of nft that deletes the table until it is back`, { kind: "flush" });
}

const versions: Version[] = [presentVersion];
try {
  if (options.before !== "none") {
    const before = await extractVersion(options.before, folder);
    symlinkSync(join(presentVersion.checkout, "node_modules"), join(before.checkout, "node_modules"));
    versions.unshift(before);
  }
  writeFileSync(join(folder, "foreign.nft"), foreignRules());
  if (parts.has("elements")) await inTurn("elements", Math.min(trials, 2), measureElements);
  if (parts.has("load")) await inTurn("load", trials, measureLoad);
  if (parts.has("foreign")) await inTurn("foreign chains", Math.min(trials, 3), measureForeign);
  process.stdout.write(`before: ${options.before}; minimum / median / maximum (trials)\n`);
  for (const line of figures.lines()) process.stdout.write(`${line}\n`);
  process.stdout.write(`load average of the machine: ${loadavg()[0]?.toFixed(1)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
