import { type Condition, maxInterfaces, timeText } from "../../src/api/api.ts";
import {
  maxAnnouncing,
  maxGateways,
  maxInterfaceAddresses,
  type Speaker,
  statusOwnersFeature,
} from "../../src/api/speaker.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { version } from "../../src/program/version.ts";
import type { Announcer } from "../announce/announcer.ts";
import { hostConditions } from "../host-checks/host-conditions.ts";
import type { HostFault } from "../host-checks/host-fault.ts";
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
    interfaces: links.slice(0, maxInterfaces).map(({ name, mac, up, addresses, cannotServe = [] }) => ({
      name,
      mac,
      up,
      addresses: addresses.slice(0, maxInterfaceAddresses),
      ...(cannotServe.length === 0 ? {} : { cannotServe: [...cannotServe] }),
    })),
    gateways: gateways.slice(0, maxGateways),
    announcing: [...announcing].sort().slice(0, maxAnnouncing),
    announcingCount: announcing.length,
    conditions: [...conditions],
  };
}

export interface SpeakerStatusOptions {
  /** The node as it was last read. */
  readonly host: { readonly links: readonly Link[]; readonly gateways: readonly string[] };
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

  /** The settings of the node are known for the first time, or there are other faults in them. */
  hostFaultsChanged(faults: readonly HostFault[]): void {
    const now = timeText(this.#options.clock.wallMs());
    this.#conditions = hostConditions(this.#conditions, faults, now);
  }

  current(): NonNullable<Speaker["status"]> {
    const { host, announcer, kernel, bootNonce } = this.#options;
    const { links, gateways } = host;
    const announcing = announcer.addresses;
    return speakerStatus({ version, kernel, bootNonce, links, gateways, announcing, conditions: this.#conditions });
  }
}
