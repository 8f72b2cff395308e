import { formatAddress } from "../../src/ip/address.ts";
import type { ServicePortKey } from "../dataplane/element.ts";

/** Longer than a service proxy may need for a new port: --kube-proxy-delay-seconds is 60 by default, and readings are 20 s apart. */
const lastingMs = 100_000;

/** How long a port counts after the last connection was dropped. Clients that are not served retry at longer and longer intervals. */
const keptMs = 3 * 60_000;

/** How long after a dropped connection the next one counts as the same fault. */
const pauseMs = 2 * 60_000;

interface Seen {
  readonly sinceMs: number;
  readonly lastMs: number;
}

/** Which ports a service proxy has not taken for so long that it is not merely late. Times are monotonic. */
export class UntakenPorts {
  readonly #seen = new Map<string, Seen>();

  /** Takes all ports for which connections were dropped a short time ago. */
  observe(ports: readonly ServicePortKey[], nowMs: number): void {
    for (const { address, protocol, port } of ports) {
      const text = `${formatAddress(address)} port ${port}/${protocol.toUpperCase()}`;
      const before = this.#seen.get(text);
      const continues = before !== undefined && nowMs - before.lastMs <= pauseMs;
      this.#seen.set(text, { sinceMs: continues ? before.sinceMs : nowMs, lastMs: nowMs });
    }
    for (const [text, { lastMs }] of this.#seen) if (nowMs - lastMs > keptMs) this.#seen.delete(text);
  }

  /** As text, in a fixed order. */
  lasting(nowMs: number): readonly string[] {
    const lasting = [...this.#seen].filter(
      ([, { sinceMs, lastMs }]) => lastMs - sinceMs >= lastingMs && nowMs - lastMs <= keptMs,
    );
    return lasting.map(([text]) => text).sort();
  }
}
