/** When after the beginning an address is asked for, in milliseconds, and when it counts as unused. */
const askMs = [0, 80, 160] as const;
/** RFC 5227 section 2.1.1 waits for seconds, for devices that join slowly. A device that already uses the address answers within milliseconds. */
const doneMs = 250;

/** An address that is asked for on the LAN before it is announced. */
interface Probe {
  readonly address: Uint8Array;
  readonly startMs: number;
  asked: number;
}

export type ProbeResult =
  /** No device has answered for the address. */
  | { readonly kind: "unused"; readonly text: string }
  | { readonly kind: "used"; readonly text: string };

/** Finds out whether a device on the LAN answers for an address. Sends nothing itself, and does not receive: `ask` sends. */
export class AddressProbes {
  readonly #ask: (text: string) => void;
  readonly #probes = new Map<string, Probe>();

  constructor(ask: (text: string) => void) {
    this.#ask = ask;
  }

  get pending(): number {
    return this.#probes.size;
  }

  /** When `advance` has something to do; Infinity: never. Costs as much as there are probes. */
  get nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { startMs, asked } of this.#probes.values()) next = Math.min(next, startMs + (askMs[asked] ?? doneMs));
    return next;
  }

  /** Begins, unless the address is being asked for already. */
  begin(text: string, address: Uint8Array, nowMs: number): void {
    if (!this.#probes.has(text)) this.#probes.set(text, { address, startMs: nowMs, asked: 0 });
  }

  cancel(text: string): void {
    this.#probes.delete(text);
  }

  /** A device has answered for the address. */
  answered(address: Uint8Array): ProbeResult | undefined {
    const key = address.join(".");
    for (const [text, probe] of this.#probes) {
      if (probe.address.join(".") !== key) continue;
      this.#probes.delete(text);
      return { kind: "used", text };
    }
    return undefined;
  }

  /** Asks where that is due, and returns the addresses for which no device has answered. */
  advance(nowMs: number): readonly ProbeResult[] {
    const unused: ProbeResult[] = [];
    for (const [text, probe] of this.#probes) {
      const ageMs = nowMs - probe.startMs;
      for (let due = askMs[probe.asked]; due !== undefined && ageMs >= due; due = askMs[probe.asked]) {
        probe.asked += 1;
        this.#ask(text);
      }
      if (ageMs < doneMs) continue;
      this.#probes.delete(text);
      unused.push({ kind: "unused", text });
    }
    return unused;
  }
}
