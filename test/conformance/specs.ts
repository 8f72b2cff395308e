import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecked } from "../lab/command.ts";
import { specNames } from "./ginkgo-report.ts";

export type SpecChoice = "quick" | "all";

const loadBalancers = "[sig-network] LoadBalancers ";
const services = "[sig-network] Services ";

/** The one spec about load balancers that upstream keeps among those of Services. */
const aboutLoadBalancers = /\bType LoadBalancer\b/;

/**
 * Specs that take long: a rolling update takes a quarter of an hour, and the switch of affinity under Local waits ten minutes
 * for an answer from each of three nodes.
 */
const slow = [/during rolling update/, /switch session affinity for LoadBalancer service with Local/];

export function isLoadBalancerSpec(name: string): boolean {
  return name.startsWith(loadBalancers) || (name.startsWith(services) && aboutLoadBalancers.test(name));
}

/** The specs of a choice. `[Disruptive]` ones restart parts of the cluster over SSH, which the lab does not have. */
export function chooseSpecs(names: readonly string[], choice: SpecChoice): readonly string[] {
  const usable = names.filter((name) => !name.includes("[Disruptive]"));
  if (choice === "all") return usable.filter((name) => name.startsWith(loadBalancers) || name.startsWith(services));
  return usable.filter((name) => isLoadBalancerSpec(name) && !slow.some((pattern) => pattern.test(name)));
}

/** Upstream's label for specs that must have the cluster for themselves. */
export function runsAlone(name: string): boolean {
  return name.includes("[Serial]");
}

/** How long a spec may take before it is ended, in milliseconds: about twice of what it takes on two busy processors. */
export function limitMs(name: string): number {
  return (/during rolling update/.test(name) ? 30 : 13) * 60_000;
}

/** The name without the group and the labels, as people read it. */
export function shortName(name: string): string {
  return name
    .replace(/^\[sig-network\] (?:LoadBalancers|Services) /, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The full names of all specs in e2e.test; needs no cluster. */
export async function listSpecs(program: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-specs-"));
  try {
    const report = join(folder, "report.json");
    const flags = ["--ginkgo.dry-run", `--ginkgo.json-report=${report}`, "--provider=local"];
    await runChecked([program, ...flags, `--kubeconfig=${join(folder, "none")}`], { timeoutMs: 180_000 });
    return specNames(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
