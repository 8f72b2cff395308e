import type { Writable } from "node:stream";
import { LabError } from "./error.ts";
import type { Lab } from "./lab.ts";

interface NodeList {
  items: { metadata: { name: string }; status: { conditions?: { type: string; status: string }[] } }[];
}

/** What the API says of each node: True, False or Unknown; nothing when the API does not answer. */
async function readiness(lab: Lab): Promise<Map<string, string>> {
  try {
    const { items } = await lab.api<NodeList>("GET", "/api/v1/nodes");
    const ready = (item: NodeList["items"][number]) => item.status.conditions?.find(({ type }) => type === "Ready");
    return new Map(items.map((item) => [item.metadata.name, ready(item)?.status ?? "Unknown"]));
  } catch (error) {
    if (error instanceof LabError) return new Map();
    throw error;
  }
}

/** Prints what of a lab runs, host by host; true when all of it does and every node is ready. */
export async function showStatus(lab: Lab, output: Writable): Promise<boolean> {
  const cut = lab.isRunning("lan") ? await lab.cutHosts() : [];
  const ready = await readiness(lab);
  const { name, proxy, families } = lab.options;
  output.write(
    `lab ${name}: ${lab.nodes.length} nodes, ${families === "dual" ? "dual-stack" : `${families} only`}, kube-proxy in ${proxy} mode, folder ${lab.folder}\n`,
  );
  let whole = true;
  for (const host of lab.hosts) {
    const on = lab.isRunning(host);
    const programs = lab.processNames().filter((process) => {
      return host === "control"
        ? !process.includes(".") && !lab.hosts.includes(process)
        : process.startsWith(`${host}.`);
    });
    const words = [on ? "on" : "OFF"];
    if (lab.nodes.includes(host)) words.push(`ready: ${ready.get(host) ?? "unknown (the API does not answer)"}`);
    if (cut.includes(host)) words.push("CABLE PULLED");
    const dead = programs.filter((program) => !lab.isRunning(program));
    const alive = programs.filter((program) => lab.isRunning(program));
    const short = (names: string[]) => names.map((program) => program.replace(`${host}.`, "")).join(" ");
    if (alive.length > 0) words.push(`running: ${short(alive)}`);
    if (on && dead.length > 0) words.push(`DEAD: ${short(dead)}`);
    output.write(`  ${host.padEnd(8)} ${words.join(", ")}\n`);
    if (!on || dead.length > 0 || (lab.nodes.includes(host) && ready.get(host) !== "True")) whole = false;
  }
  return whole;
}
