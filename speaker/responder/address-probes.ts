import { equalBytes } from "../../src/packet/mac.ts";
import { answeringAddress } from "./lan-probe.ts";

/** When after the beginning the LAN is asked about an address, in milliseconds, and when the address counts as unused. */
const askMs = [0, 80, 160] as const;
/** RFC 5227 section 2.1.1 waits for seconds, for devices that join slowly. A device that already uses the address answers within milliseconds. */
const doneMs = 250;

/** An address about which the LAN is asked before it is announced. */
interface Probe {
  readonly bytes: Uint8Array;
  readonly startMs: number;
  asked: number;
}

export type ProbeResult =
  /** No device has answered for the address. */
  | { readonly kind: "unused"; readonly address: string }
  /** A device has. */
  | { readonly kind: "used"; readonly address: string };

/** Finds out whether a device on the LAN answers for an address. Sends nothing itself, and does not receive: `ask` sends. */
export class AddressProbes {
  readonly #ask: (address: string) => void;
  readonly #probes = new Map<string, Probe>();

  constructor(ask: (address: string) => void) {
    this.#ask = ask;
  }

  /** When `advance` has something to do; Infinity: never. Costs as much as there are probes. */
  get nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { startMs, asked } of this.#probes.values()) next = Math.min(next, startMs + (askMs[asked] ?? doneMs));
    return next;
  }

  /** Begins, unless the LAN is being asked about the address already. */
  begin(address: string, bytes: Uint8Array, nowMs: number): void {
    if (!this.#probes.has(address)) this.#probes.set(address, { bytes, startMs: nowMs, asked: 0 });
  }

  cancel(address: string): void {
    this.#probes.delete(address);
  }

  /** Whether a device answers by this frame for one of the addresses. Costs nothing while there is none. */
  answeredBy(frame: Uint8Array): ProbeResult | undefined {
    const answering = this.#probes.size === 0 ? undefined : answeringAddress(frame);
    if (answering === undefined) return undefined;
    for (const [address, { bytes }] of this.#probes) {
      if (!equalBytes(bytes, answering)) continue;
      this.#probes.delete(address);
      return { kind: "used", address };
    }
    return undefined;
  }

  /** Asks where that is due, and returns the addresses for which no device has answered. */
  advance(nowMs: number): readonly ProbeResult[] {
    const unused: ProbeResult[] = [];
    for (const [address, probe] of this.#probes) {
      const ageMs = nowMs - probe.startMs;
      for (let due = askMs[probe.asked]; due !== undefined && ageMs >= due; due = askMs[probe.asked]) {
        probe.asked += 1;
        this.#ask(address);
      }
      if (ageMs < doneMs) continue;
      this.#probes.delete(address);
      unused.push({ kind: "unused", address });
    }
    return unused;
  }
}
