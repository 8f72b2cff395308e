import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import type { Lab } from "../lab/lab.ts";
import { type Progress, showProgress } from "../lab/progress.ts";
import type { LabOptions } from "../lab/state.ts";
import { upLab } from "../lab/up.ts";
import { waitFor } from "../lab/wait.ts";
import { installProduct } from "../product/install.ts";
import { cutCable } from "./cable-cut.ts";
import { bold, dim, green, red } from "./colour.ts";
import { explainAnnouncer } from "./explain.ts";

const manifests = fileURLToPath(new URL("manifests/", import.meta.url));
const services = ["web", "web-direct"] as const;

/** What the API tells of one Service, as far as the demo reads it. */
interface Service {
  readonly status: { readonly loadBalancer: { readonly ingress?: ReadonlyArray<{ readonly ip: string }> } };
}

type DemoOptions = Pick<LabOptions, "proxy" | "families">;

/**
 * The main job from nothing: a cluster, Bellhop in it, two Services with external addresses, and answers for a client on the LAN
 * and for one behind a router. Then it pulls the cable of a node under a client that keeps asking, and puts it back. Exits non-zero when any way
 * stays without an answer. The cluster keeps running.
 */
async function runDemo({ proxy, families }: DemoOptions): Promise<void> {
  const startMs = Date.now();
  const progress = showProgress(process.stdout);
  heading("A cluster of three nodes on this machine, and Bellhop in it");
  const lab = await upLab({ name: "lab", nodes: 3, proxy, families }, progress);
  await installProduct(lab, progress);

  heading("A pool of addresses and two Services");
  await runKubectl(lab, ["apply", "-f", `${manifests}pool.yaml`, "-f", `${manifests}web.yaml`]);
  await progress.step("pods ready", () =>
    lab.kubectl(["rollout", "status", "daemonset/web", "--timeout=60s"], undefined, 70_000),
  );
  const addresses = await progress.step("EXTERNAL-IP", () => waitForAddresses(lab));
  await progress.step("every pod answers through the NodePorts", () =>
    waitForAllPods(lab, addresses.get("web")?.[0] ?? ""),
  );
  await runKubectl(lab, ["get", "services", ...services]);

  heading("Answers: which client, which address, which pod");
  const failures = await askEverything(lab, addresses);

  heading("Who announces an address, and why");
  await runKubectl(lab, ["get", "virtualips,ipaddresspools"]);
  await explainAnnouncer(lab, addresses.get("web")?.[0] ?? "");

  heading("A cable is pulled");
  const silent = await cutCable(lab, addresses.get("web")?.[0] ?? "");
  await progress.step("every pod answers again", () => waitForAllPods(lab, addresses.get("web")?.[0] ?? ""));

  finish(progress, startMs, failures + silent, addresses.get("web")?.[0] ?? "");
}

function heading(text: string): void {
  process.stdout.write(`\n${bold(text)}\n`);
}

/** Shows the command as a user would type it, and what it prints. */
async function runKubectl(lab: Lab, args: readonly string[]): Promise<void> {
  const shown = args.map((arg) => arg.replace(manifests, "test/demo/manifests/")).join(" ");
  process.stdout.write(dim(`$ kubectl ${shown}\n`));
  process.stdout.write(await lab.kubectl(args));
}

async function waitForAddresses(lab: Lab): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const wanted = lab.options.families === "dual" ? 2 : 1;
  for (const name of services) {
    found.set(
      name,
      await waitFor({ what: `an external address of each family for Service ${name}`, timeoutMs: 30_000 }, async () => {
        const service = await lab.api<Service>("GET", `/api/v1/namespaces/default/services/${name}`);
        const ingress = service.status.loadBalancer.ingress ?? [];
        return ingress.length === wanted ? ingress.map((entry) => entry.ip) : undefined;
      }),
    );
  }
  return found;
}

/** kube-proxy takes in new pods and node ports once a second at the most. */
async function waitForAllPods(lab: Lab, ip: string): Promise<void> {
  const seen = new Set<string>();
  await waitFor({ what: `every pod to answer at ${ip}`, timeoutMs: 30_000 }, async () => {
    for (const [pod] of await askTimes(lab, "client", ip, 1)) seen.add(pod);
    return seen.size === lab.nodes.length;
  });
}

async function askEverything(lab: Lab, addresses: ReadonlyMap<string, readonly string[]>): Promise<number> {
  let failures = 0;
  for (const [service, ips] of addresses) {
    const way = service === "web" ? "through NodePorts" : "straight to pods";
    process.stdout.write(`${service}, ${way}\n`);
    for (const client of ["client", "remote"] as const) {
      for (const ip of ips) {
        const pods = await askTimes(lab, client, ip, 6);
        const answers = pods.reduce((sum, [, count]) => sum + count, 0);
        if (answers < 6) failures++;
        const mark = answers === 6 ? green("✓") : red("✗");
        const place = client === "client" ? "LAN client   " : "remote client";
        const from = pods.map(([pod, count]) => `${pod} ×${count}`).join(", ");
        process.stdout.write(`  ${mark} ${place} → ${ip.padEnd(13)} ${answers} of 6 answered  ${dim(from)}\n`);
      }
    }
  }
  return failures;
}

/** Asks the address for its pod's name, a new connection each time; gives the names that answered and how often. */
async function askTimes(lab: Lab, client: "client" | "remote", ip: string, times: number): Promise<[string, number][]> {
  const url = `http://${ip.includes(":") ? `[${ip}]` : ip}/hostname`;
  const counts = new Map<string, number>();
  for (let index = 0; index < times; index++) {
    const result = await lab.exec(client, ["curl", "--silent", "--show-error", "--max-time", "3", url]);
    if (result.code === 0) counts.set(result.stdout, (counts.get(result.stdout) ?? 0) + 1);
  }
  return [...counts].sort();
}

function finish(progress: Progress, startMs: number, failures: number, ip: string): void {
  const seconds = ((Date.now() - startMs) / 1000).toFixed(0);
  if (failures > 0) {
    process.exitCode = 1;
    process.stdout.write(
      `\n${red(`${failures} of the ways above stayed without an answer.`)} Look: npm run lab -- kubectl -- -n bellhop-system logs -l app.kubernetes.io/name=bellhop\n`,
    );
  } else {
    progress.say(green(`\nAll of it answered, ${seconds} s after the start.`));
  }
  process.stdout.write(readFileSync(new URL("play-on.txt", import.meta.url), "utf8").replaceAll("ADDRESS", ip));
}

const options = new Command("demo")
  .addOption(
    new Option("--proxy <mode>", "kube-proxy's mode").choices(["nftables", "iptables"] as const).default("nftables"),
  )
  .addOption(
    new Option("--families <families>", "which IP families the cluster and its networks have")
      .choices(["dual", "ipv4", "ipv6"] as const)
      .default("dual"),
  )
  .parse()
  .opts<DemoOptions>();
await runDemo(options);
