import type { Link } from "./links/link.ts";
import { sameLinks } from "./links/read.ts";

/** Whether the interfaces, what they can serve, or the routers differ from the reading before. */
export interface HostChange {
  readonly links: boolean;
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
  readonly changes: HostListener;
}

/** The node itself as it was last read: its interfaces and routers. */
export class Host {
  readonly #options: HostOptions;
  #links: readonly Link[] = [];
  #gateways: readonly string[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  get gateways(): readonly string[] {
    return this.#gateways;
  }

  /** Reads again, and reports what has changed. */
  read(): void {
    const { changes, readLinks, readGateways } = this.#options;
    const present = readLinks();
    const gateways = readGateways();
    const links = !sameLinks(present, this.#links) || gateways.join() !== this.#gateways.join();
    if (links) this.#links = present;
    this.#gateways = gateways;
    changes.hostRead({ links });
  }
}
