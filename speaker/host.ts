import { type Condition, timeText } from "../src/api/api.ts";
import type { Clock } from "../src/clock/clock.ts";
import type { IpFamily } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import type { Link } from "./links/link.ts";
import { sameLinks } from "./links/read.ts";
import { forwardingCondition } from "./report/speaker-status.ts";

export interface HostOptions {
  readonly readLinks: () => readonly Link[];
  /** Families for which the kernel does not forward. */
  readonly withoutForwarding: () => readonly IpFamily[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the last look at the node itself has shown: its interfaces, and whether its kernel forwards. */
export class Host {
  readonly #options: HostOptions;
  #links: readonly Link[] = [];
  #conditions: readonly Condition[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  get conditions(): readonly Condition[] {
    return this.#conditions;
  }

  /** Looks, and gives what differs from the last time. */
  look(): { readonly links: boolean; readonly conditions: boolean } {
    const { clock, log, readLinks, withoutForwarding } = this.#options;
    const seen = readLinks();
    const links = !sameLinks(seen, this.#links);
    if (links) this.#links = seen;
    const families = withoutForwarding();
    const conditions = forwardingCondition(this.#conditions, families, timeText(clock.wallMs()));
    if (conditions === undefined) return { links, conditions: false };
    this.#conditions = conditions;
    if (families.length > 0) log.warn({ families }, "the kernel does not forward; pods are not reached by this node");
    return { links, conditions: true };
  }
}
