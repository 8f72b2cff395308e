import { type Condition, maxInterfaces, timeText } from "../../src/api/api.ts";
import {
  maxAnnouncing,
  maxGateways,
  maxInterfaceAddresses,
  type Speaker,
  statusOwnersFeature,
} from "../../src/api/speaker.ts";
import type { Clock } from "../../src/clock/clock.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import { withCondition } from "../../src/model/condition.ts";
import { version } from "../../src/program/version.ts";
import type { Announcer } from "../announce/announcer.ts";
import type { Link } from "../links/link.ts";

export interface SpeakerStatusInput {
  readonly version: string;
  readonly kernel: string;
  readonly bootNonce: string;
  readonly links: readonly Link[];
  readonly gateways: readonly string[];
  readonly announcing: readonly string[];
  readonly conditions: readonly Condition[];
}

/** The status of the Speaker object, always in the same order, so that equal texts mean equal facts. */
export function speakerStatus(input: SpeakerStatusInput): NonNullable<Speaker["status"]> {
  const { version, kernel, bootNonce, links, gateways, announcing, conditions } = input;
  return {
    version,
    kernel,
    bootNonce,
    features: { bootNonce, names: [statusOwnersFeature] },
    // The API server refuses longer lists.
    interfaces: links.slice(0, maxInterfaces).map(({ name, mac, up, addresses }) => ({
      name,
      mac,
      up,
      addresses: addresses.slice(0, maxInterfaceAddresses),
    })),
    gateways: gateways.slice(0, maxGateways),
    announcing: [...announcing].sort().slice(0, maxAnnouncing),
    announcingCount: announcing.length,
    conditions: [...conditions],
  };
}

/** The conditions, including whether the kernel of the node forwards packets; undefined: no change. */
export function forwardingCondition(
  present: readonly Condition[],
  families: readonly IpFamily[],
  now: string,
): readonly Condition[] | undefined {
  const type = "Forwarding";
  const names = families.join(" and ");
  return families.length === 0
    ? withCondition(present, { type, status: "True", reason: "Enabled", message: "The node forwards packets." }, now)
    : withCondition(
        present,
        {
          type,
          status: "False",
          reason: "Disabled",
          message: `The kernel does not forward ${names} (sysctl net.ipv4.ip_forward, net.ipv6.conf.all.forwarding), so this node cannot reach pods. Bellhop does not change sysctls.`,
        },
        now,
      );
}

export interface SpeakerStatusOptions {
  /** The node as it was last read; `withoutForwarding`: families that its kernel does not forward. */
  readonly host: {
    readonly links: readonly Link[];
    readonly gateways: readonly string[];
    readonly withoutForwarding: readonly IpFamily[];
  };
  readonly announcer: Announcer;
  readonly kernel: string;
  readonly bootNonce: string;
  readonly clock: Clock;
}

/** The status of the node's own Speaker object as it is now, whether written or not. Keeps its conditions. */
export class SpeakerStatus {
  readonly #options: SpeakerStatusOptions;
  #conditions: readonly Condition[] = [];

  constructor(options: SpeakerStatusOptions) {
    this.#options = options;
  }

  /** The families that the kernel forwards are known for the first time, or have changed. */
  forwardingChanged(): void {
    const { host, clock } = this.#options;
    const now = timeText(clock.wallMs());
    this.#conditions = forwardingCondition(this.#conditions, host.withoutForwarding, now) ?? this.#conditions;
  }

  current(): NonNullable<Speaker["status"]> {
    const { host, announcer, kernel, bootNonce } = this.#options;
    const { links, gateways } = host;
    const announcing = announcer.addresses;
    return speakerStatus({ version, kernel, bootNonce, links, gateways, announcing, conditions: this.#conditions });
  }
}
