import assert from "node:assert/strict";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { askFrom } from "./client.ts";
import { findVirtualIp } from "./virtual-ip.ts";

const attempts = 20;

/**
 * Every attempt over TCP is refused at the first try: unanswered ones end after 3 s. Of those over UDP at least one is, because the
 * kernel limits the ICMP errors that it sends to one client (icmp_ratelimit in networking/ip-sysctl.rst).
 */
export async function assertRefuses(api: Api, from: string, host: string): Promise<void> {
  const tcp = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
  const { failures } = await askFrom(api.lab, from, tcp, attempts, 3_000);
  const expected = Array(attempts).fill(`connect ECONNREFUSED ${host}:80`);
  assert.deepEqual(
    failures.map(({ error }) => error),
    expected,
    `${from} → [${host}]`,
  );
  await waitForRefusal(api, from, host, "udp");
}

/** Waits for the first refusal, for Services whose endpoints have just gone. */
export async function waitForRefusal(api: Api, from: string, host: string, protocol: "tcp" | "udp"): Promise<void> {
  const target = { protocol, host, port: 80, question: "hostname" };
  await waitFor({ what: `[${host}] to refuse ${from} over ${protocol}`, timeoutMs: 30_000 }, async () => {
    const [failure] = (await askFrom(api.lab, from, target, 1, 1_000)).failures;
    return failure?.error.includes("ECONNREFUSED");
  });
}

/** Waits until some node says that it answers for the address. Rules are written before that. */
export async function waitForAnnouncement(api: Api, host: string): Promise<void> {
  await waitFor({ what: `${host} to be announced`, timeoutMs: 15_000 }, async () => {
    return (await findVirtualIp(api, host))?.status?.node !== undefined;
  });
}
