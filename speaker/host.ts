import type { IpFamily } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import type { Link } from "./links/link.ts";
import { sameLinks } from "./links/read.ts";

/** Whether the interfaces or the routers, and the families that the kernel forwards, differ from the reading before. */
export interface HostChange {
  readonly links: boolean;
  readonly forwarding: boolean;
}

/** Receives each reading of the host. */
export interface HostListener {
  /** The host was read again; `change` says what differs, which may be nothing. */
  hostRead(change: HostChange): void;
}

export interface HostOptions {
  readonly readLinks: () => readonly Link[];
  /** Routers of the default routes. */
  readonly readGateways: () => readonly string[];
  /** Families that the kernel does not forward. */
  readonly withoutForwarding: () => readonly IpFamily[];
  readonly changes: HostListener;
  readonly log: Logger;
}

/** The node itself as it was last read: its interfaces, and whether its kernel forwards. */
export class Host {
  readonly #options: HostOptions;
  #links: readonly Link[] = [];
  #gateways: readonly string[] = [];
  /** Undefined before the first reading. */
  #withoutForwarding: readonly IpFamily[] | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  get gateways(): readonly string[] {
    return this.#gateways;
  }

  get withoutForwarding(): readonly IpFamily[] {
    return this.#withoutForwarding ?? [];
  }

  /** Reads again, and reports what has changed. */
  read(): void {
    const { log, changes, readLinks, readGateways, withoutForwarding } = this.#options;
    const present = readLinks();
    const gateways = readGateways();
    const links = !sameLinks(present, this.#links) || gateways.join() !== this.#gateways.join();
    if (links) this.#links = present;
    this.#gateways = gateways;
    const families = withoutForwarding();
    const forwarding = this.#withoutForwarding?.join() !== families.join();
    this.#withoutForwarding = families;
    if (forwarding && families.length > 0)
      log.warn({ families }, "the kernel does not forward, so this node cannot reach pods");
    changes.hostRead({ links, forwarding });
  }
}

const forwardingFiles = {
  IPv4: "/proc/sys/net/ipv4/ip_forward",
  IPv6: "/proc/sys/net/ipv6/conf/all/forwarding",
} as const satisfies Record<IpFamily, string>;

/** The families that the kernel of the node does not forward, so that the node cannot reach pods. Changes nothing. */
export function familiesWithoutForwarding(read: (path: string) => string): readonly IpFamily[] {
  return (["IPv4", "IPv6"] as const).filter((family) => {
    try {
      return read(forwardingFiles[family]).trim() === "0";
    } catch {
      // A kernel without the family has no such file.
      return true;
    }
  });
}
