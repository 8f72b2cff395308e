import { setTimeout as sleep } from "node:timers/promises";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { readTarget } from "../bench/failover/timeline.ts";
import { monotonicMs } from "../e2e/probe/monotonic.ts";
import { startClient } from "../e2e/probe/programs.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";
import { dim, green, red } from "./colour.ts";

const intervalMs = 10;
/** Below the first retransmission of a SYN, 1 s (RFC 6298 section 2). */
const timeoutMs = 900;
/** A takeover that takes longer is not waited for. */
const patienceMs = 30_000;

/**
 * Pulls the cable of the node that announces the address while a client on the LAN opens a new connection every 10 ms, and prints how long the
 * address was silent. Puts the cable back, whatever happens. Returns how many ways stayed without an answer: 0 or 1.
 */
export async function cutCable(lab: Lab, ip: string): Promise<number> {
  const announcer = await announcerOf(lab, ip);
  process.stdout.write(
    `The LAN client opens a new connection to ${ip} every ${intervalMs} ms. ${announcer} announces it.\n`,
  );
  const target = { protocol: "tcp", host: ip, port: 80, question: "/hostname" } as const;
  const options = {
    targets: [target],
    intervalMs,
    timeoutMs,
    connections: 0,
    connectionIntervalMs: 1_000,
    connectionTimeoutMs: timeoutMs,
  };
  const client = startClient(lab, "client", options);
  let cutMs: number;
  let successor: string | undefined;
  try {
    await client.ready;
    await sleep(1_000);
    process.stdout.write(dim(`$ npm run lab -- node cut ${announcer}\n`));
    cutMs = monotonicMs();
    await lab.cutNode(announcer);
    successor = await waitForSuccessor(lab, ip, announcer);
    await sleep(2_000);
  } finally {
    client.stop();
    await lab.restoreNode(announcer);
  }
  const { requests } = await client.report;
  const name = { client: "client", path: "web", family: "", address: ip };
  const { gapMs, failed, asked } = readTarget(name, requests, cutMs);
  if (gapMs === undefined || successor === undefined) {
    process.stdout.write(`  ${red("✗")} no other node answered within ${patienceMs / 1_000} s\n`);
    return 1;
  }
  process.stdout.write(
    `  ${green("✓")} ${successor} took over: ${gapMs.toFixed(0)} ms without an answer, ${failed} of ${asked} requests failed\n`,
  );
  process.stdout.write(dim(`$ npm run lab -- node restore ${announcer}\n`));
  return 0;
}

async function announcerOf(lab: Lab, ip: string): Promise<string> {
  return waitFor({ what: `${ip} to be announced`, timeoutMs: 10_000 }, () => readNode(lab, ip));
}

async function readNode(lab: Lab, ip: string): Promise<string | undefined> {
  const address = parseAddress(ip);
  const name = address === undefined ? ip : virtualIpName(address);
  return (await lab.api<VirtualIP>("GET", `/apis/bellhop.dev/v1beta1/virtualips/${name}`)).status?.node;
}

/** Undefined when there is none in time. */
async function waitForSuccessor(lab: Lab, ip: string, announcer: string): Promise<string | undefined> {
  const endMs = monotonicMs() + patienceMs;
  while (monotonicMs() < endMs) {
    const node = await readNode(lab, ip);
    if (node !== undefined && node !== announcer) return node;
    await sleep(50);
  }
  return undefined;
}
