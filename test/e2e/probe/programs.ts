import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CLIENT, OBSERVER } from "../../lab/addresses.ts";
import { LabError } from "../../lab/error.ts";
import type { Lab } from "../../lab/lab.ts";
import type { Observation, ObserverOptions } from "./announcement-observer.ts";
import type { HeardArp, ListenerOptions } from "./arp-listener.ts";
import type { ClaimantOptions } from "./claimant.ts";
import { promptNode } from "./prompt-node.ts";
import type { ClientOptions, ClientReport } from "./steady-client.ts";

const clientProgram = fileURLToPath(new URL("steady-client.ts", import.meta.url));
const claimantProgram = fileURLToPath(new URL("claimant.ts", import.meta.url));
const listenerProgram = fileURLToPath(new URL("arp-listener.ts", import.meta.url));
const observerProgram = fileURLToPath(new URL("announcement-observer.ts", import.meta.url));

/** A program on a host that says `ready`, works until its input ends, and then prints its report as one line of JSON. */
export interface RunningProgram<Report> {
  /** Resolves when it works. */
  readonly ready: Promise<void>;
  /** Resolves with the report: after `stop`, or when it ends by itself. */
  readonly report: Promise<Report>;
  stop(): void;
}

function start<Report>(lab: Lab, host: string, program: string, options: object): RunningProgram<Report> {
  const argv = [...promptNode, program, JSON.stringify(options)];
  const child = lab.spawnInNetwork(host, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError("the program has no pipes");
  // It may have ended by itself.
  stdin.on("error", () => {});
  let output = "";
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  stdout.setEncoding("utf8");
  stdout.on("data", (chunk: string) => {
    output += chunk;
    if (output.startsWith("ready\n")) isReady();
  });
  const report = once(child, "close").then(() => {
    isReady();
    const line = output.split("\n")[1];
    if (line === undefined || line === "")
      throw new LabError("command-failed", `${program} on ${host} ended without a report`);
    return JSON.parse(line) as Report;
  });
  // Whoever waits for it sees the failure; until then it must not end this process.
  report.catch(() => {});
  return { ready, report, stop: () => stdin.end() };
}

/** Starts a client on a host of the lab. */
export function startClient(lab: Lab, host: string, options: ClientOptions): RunningProgram<ClientReport> {
  return start(lab, host, clientProgram, options);
}

/** Starts asking on the LAN who has the addresses, from the host for that, or from the client's: then the client learns from the answers. */
export function startObserver(
  lab: Lab,
  addresses: readonly string[],
  intervalMs: number,
  host: "observer" | "client" = "observer",
): RunningProgram<readonly Observation[]> {
  const own = host === "observer" ? OBSERVER : CLIENT;
  const options: ObserverOptions = { interfaceName: "eth0", own, addresses, intervalMs };
  return start(lab, host, observerProgram, options);
}

/** Starts to claim addresses for a host on the LAN, every `intervalMs`. Reports how often it did. */
export function startClaimant(
  lab: Lab,
  host: string,
  addresses: readonly string[],
  intervalMs: number,
): RunningProgram<number> {
  const options: ClaimantOptions = { interfaceName: "eth0", addresses, intervalMs };
  return start(lab, host, claimantProgram, options);
}

/** Starts to note the ARP packets that all hosts of the LAN receive. */
export function startListener(lab: Lab): RunningProgram<readonly HeardArp[]> {
  const options: ListenerOptions = { interfaceName: "eth0" };
  return start(lab, "observer", listenerProgram, options);
}
