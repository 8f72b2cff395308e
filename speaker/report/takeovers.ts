import type { Counter, Histogram } from "prom-client";
import { causeTexts, type VirtualIP } from "../../src/api/virtual-ip.ts";
import { type EventRecorder, ownSubject } from "../../src/kube/event.ts";
import type { HoldingFact } from "../announce/holdings.ts";

export interface TakeoversOptions {
  readonly node: string;
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly events: EventRecorder;
  readonly metrics: { readonly takeovers: Counter<"cause">; readonly takeoverGap: Histogram };
}

/** Counts the addresses that this node takes over, and records an event on the VirtualIP of each. */
export class Takeovers {
  readonly #options: TakeoversOptions;

  constructor(options: TakeoversOptions) {
    this.#options = options;
  }

  /** The node has begun to announce the address of this VirtualIP. */
  record(name: string, fact: HoldingFact): void {
    const { virtualIps, events, metrics, node } = this.#options;
    const { cause, gapMs } = fact;
    metrics.takeovers.inc({ cause });
    if (gapMs > 0) metrics.takeoverGap.observe(gapMs / 1000);
    const virtualIp = virtualIps.views.get(name);
    // A restart of the speaker takes over nothing.
    if (virtualIp === undefined || cause === "Start") return;
    const reason = cause === "Planned" ? "Moved" : "TakenOver";
    events.record(ownSubject("VirtualIP", virtualIp.metadata), {
      type: "Normal",
      reason,
      message: takeoverText(node, fact),
    });
  }
}

/** What has happened, for people. Pure. */
export function takeoverText(node: string, { cause, from, gapMs }: HoldingFact): string {
  const before = from === undefined ? "another node" : `node ${from}`;
  const gap = gapMs === 0 ? "" : ` No node answered for it for ${Math.round(gapMs)} ms.`;
  return `Node ${node} announces the address instead of ${before}: ${causeTexts[cause]}.${gap}`;
}
