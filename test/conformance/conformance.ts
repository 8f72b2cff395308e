import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FREE_RANGES, type LabFamilies, ofFamilies } from "../lab/addresses.ts";
import { KUBERNETES_VERSION } from "../lab/build-cache.ts";
import { LabError } from "../lab/error.ts";
import { downLab, type Lab } from "../lab/lab.ts";
import type { Progress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { installProduct } from "../product/install.ts";
import { checkDiskSpace } from "./disk-space.ts";
import { buildE2eProgram } from "./e2e-program.ts";
import { knownFailure } from "./known-failures.ts";
import { describeVariant } from "./page.ts";
import { endPodsPath, forcePodsPath } from "./pods-path.ts";
import {
  continueResults,
  longestSeconds,
  type Results,
  readResults,
  recordSpec,
  type Variant,
  writeResults,
} from "./results.ts";
import { chooseSpecs, listSpecs, type SpecChoice } from "./specs.ts";
import { runSuite } from "./suite.ts";
import { writePage } from "./write-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const labName = "conformance";

export interface ConformanceOptions {
  readonly specs: SpecChoice;
  readonly proxy: Variant["proxy"] | "both";
  readonly path: Variant["path"] | "both";
  readonly families: LabFamilies;
  /** Only specs whose full name it matches. */
  readonly match?: RegExp;
  readonly jobs: number;
  /** A folder for the output of the specs. */
  readonly logs: string;
}

interface Counts {
  passed: number;
  skipped: number;
  known: number;
  unknown: number;
}

/**
 * Runs the chosen specs in a lab of its own for each mode of kube-proxy, records each result as it comes, and writes the page. The
 * lab is always taken down, and what an earlier run has left of it is removed first. Gives the exit code: 1 when a spec failed
 * for no known reason, or when it was stopped.
 */
export async function runConformance(
  options: ConformanceOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  if (process.getuid?.() !== 0) throw new LabError("bad-option", "the lab makes namespaces and mounts: run it as root");
  checkDiskSpace();
  const program = await buildE2eProgram(progress);
  const names = await progress.step("List upstream's specs", () => listSpecs(program));
  const { match = /^/ } = options;
  const chosen = chooseSpecs(names, options.specs).filter((name) => match.test(name));
  if (chosen.length === 0)
    throw new LabError("bad-option", `no spec of --specs ${options.specs} has ${match} in its name`);

  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  let results: Results = continueResults(readResults(), {
    kubernetes: KUBERNETES_VERSION,
    bellhop: version,
    specs: [...chooseSpecs(names, "all")],
  });
  // The longest first, so that none of them runs alone at the end; what is not known yet may be long.
  const expected = (spec: string) => longestSeconds(results, spec) ?? Number.MAX_SAFE_INTEGER;
  const ordered = chosen.toSorted((left, right) => expected(right) - expected(left));
  const counts: Counts = { passed: 0, skipped: 0, known: 0, unknown: 0 };

  const runVariant = (lab: Lab, variant: Variant) =>
    runSuite(
      {
        ...{ lab, program, title: describeVariant(variant), specs: ordered, jobs: options.jobs, signal },
        folder: join(options.logs, `${variant.proxy}-${variant.path}-${variant.families}`),
        onResult: (spec, result) => {
          results = recordSpec(results, variant, spec, result);
          writeResults(results);
          writePage(results);
          if (result.state === "failed") counts[knownFailure(spec, variant) === undefined ? "unknown" : "known"] += 1;
          else counts[result.state] += 1;
        },
      },
      progress,
    );

  const proxies = options.proxy === "both" ? (["nftables", "iptables"] as const) : [options.proxy];
  const paths = options.path === "both" ? (["nodeport", "pods"] as const) : [options.path];
  for (const proxy of proxies) {
    if (signal.aborted) break;
    const { families } = options;
    try {
      const lab = await prepareLab(proxy, families, progress);
      for (const path of paths) {
        if (signal.aborted) break;
        await (path === "pods" ? forcePodsPath(lab) : endPodsPath(lab));
        await runVariant(lab, { proxy, path, families });
      }
    } finally {
      await progress.step(`Take down lab ${labName}`, () => downLab(labName));
    }
  }
  const { passed, skipped, known, unknown } = counts;
  progress.say(
    `${passed} passed, ${skipped} skipped, ${known} failed for a known reason, ${unknown} failed for another one`,
  );
  progress.say("docs/conformance.md and test/conformance/results.json have the results");
  return unknown > 0 || signal.aborted ? 1 : 0;
}

/** A lab with everything that the specs expect of a cluster, with Bellhop and a pool. */
async function prepareLab(proxy: Variant["proxy"], families: LabFamilies, progress: Progress): Promise<Lab> {
  await downLab(labName);
  const lab = await upLab({ name: labName, nodes: 3, proxy, families, dns: true, hostPorts: true }, progress);
  await installProduct(lab, progress);
  const pool = {
    apiVersion: "bellhop.dev/v1beta1",
    kind: "IPAddressPool",
    metadata: { name: "lan" },
    spec: { addresses: ofFamilies(families, FREE_RANGES) },
  };
  await lab.kubectl(["apply", "-f", "-"], JSON.stringify(pool));
  // Specs about zones skip themselves without.
  for (const [index, node] of lab.nodes.entries()) {
    await lab.kubectl(["label", "node", node, `topology.kubernetes.io/zone=z${index + 1}`]);
  }
  return lab;
}
