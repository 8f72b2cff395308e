import { setTimeout as sleep } from "node:timers/promises";
import { macAddress, nodeAddresses } from "../lab/addresses.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";
import { askFrom } from "./client.ts";
import { startObserver } from "./probe/programs.ts";

/** The hardware addresses that answer ARP or NDP for an address within the time, as a host on the LAN sees it. */
export async function answeringMacs(
  lab: Lab,
  address: string,
  timeMs: number,
  host: "observer" | "client",
): Promise<ReadonlySet<string>> {
  const observer = startObserver(lab, [address], 20, host);
  await observer.ready;
  await sleep(timeMs);
  observer.stop();
  return new Set((await observer.report).filter(({ solicited }) => solicited).map(({ mac }) => mac));
}

/** The nodes that answer so. */
export async function answeringNodes(
  lab: Lab,
  address: string,
  timeMs = 500,
  host: "observer" | "client" = "observer",
): Promise<readonly string[]> {
  const macs = await answeringMacs(lab, address, timeMs, host);
  return lab.nodes.filter((node) => macs.has(macAddress(nodeAddresses(node).ipv4)));
}

/** Waits until one node answers for the address, and no other one, for the time. */
export async function waitForAnnouncer(
  lab: Lab,
  address: string,
  { timeMs = 500, not, host = "observer" }: { timeMs?: number; not?: string; host?: "observer" | "client" } = {},
): Promise<string> {
  const what = `one node${not === undefined ? "" : ` other than ${not}`} to answer for ${address}`;
  return waitFor({ what, timeoutMs: 60_000, intervalMs: 100 }, async () => {
    const [node, ...others] = await answeringNodes(lab, address, timeMs, host);
    return others.length === 0 && node !== not ? node : undefined;
  });
}

/** Waits until twenty requests in a row are answered: while a dead node is among the endpoints, some are not. */
export async function waitForEveryAnswer(lab: Lab, host: string): Promise<void> {
  const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
  await waitFor({ what: `every answer from ${host}`, timeoutMs: 90_000 }, async () => {
    const { good } = await askFrom(lab, "client", target, 20, 1_000);
    return good === 20 ? true : undefined;
  });
}
