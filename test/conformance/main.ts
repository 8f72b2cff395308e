import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { LabError } from "../lab/error.ts";
import { withLock } from "../lab/lock.ts";
import { showProgress } from "../lab/progress.ts";
import { parseRegularExpression } from "../lab/regular-expression.ts";
import { cacheFolder } from "../lab/state.ts";
import { wholeNumberParser } from "../lab/whole-number.ts";
import { type ConformanceOptions, runConformance } from "./conformance.ts";

const progress = showProgress(process.stderr);
const stop = new AbortController();

const program = new Command("conformance")
  .description(
    "Kubernetes' own specs of load balancers and Services, with Bellhop in a lab; writes docs/conformance.md",
  )
  .addOption(
    new Option(
      "--specs <choice>",
      "quick: about load balancers, a minute each at most; all: with the slow ones and those of Services",
    )
      .choices(["quick", "all"] as const)
      .default("quick"),
  )
  .addOption(
    new Option("--proxy <mode>", "kube-proxy's mode")
      .choices(["nftables", "iptables", "both"] as const)
      .default("both"),
  )
  .addOption(
    new Option("--path <path>", "how connections are delivered")
      .choices(["nodeport", "pods", "both"] as const)
      .default("both"),
  )
  .addOption(
    new Option("--families <families>", "which IP families the cluster has")
      .choices(["ipv4", "ipv6", "dual"] as const)
      .default("ipv4"),
  )
  .option("--match <pattern>", "only specs whose name this regular expression matches", parseRegularExpression)
  .option("--jobs <number>", "how many specs run side by side", wholeNumberParser({ from: 1, to: 9 }), 3)
  .parse();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    progress.say(`${signal}: the specs are ended and the lab is taken down`);
    stop.abort();
  });
}

try {
  const logs = join(cacheFolder(), "conformance-logs");
  const options = { ...program.opts<Omit<ConformanceOptions, "logs">>(), logs };
  const onWait = () => progress.say("waiting for another run");
  process.exitCode = await withLock("/run/lock/bellhop-conformance.lock", onWait, async () => {
    rmSync(logs, { recursive: true, force: true });
    return runConformance(options, progress, stop.signal);
  });
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`conformance: ${error.message}\n`);
  process.exitCode = 1;
}
