import type { Logger } from "pino";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
import type { DeadEndpoints } from "./dead-endpoints.ts";
import type { DataplaneMetrics } from "./metrics.ts";

export interface EndedConnectionsOptions {
  readonly family: IpFamily;
  readonly conntrack: Conntrack;
  readonly metrics: DataplaneMetrics;
  readonly log: Logger;
}

/**
 * Deletes connections and flows of one family to endpoints that are gone with their node, so that a packet of such a connection is reset, and a client
 * that uses its port again does not meet it. Nothing waits for that. One search of the table at a time; what comes during one is in the next.
 */
export class EndedConnections {
  readonly #options: EndedConnectionsOptions;
  #destinations = new Set<string>();
  #endpoints = new Set<string>();
  #working = false;

  constructor(options: EndedConnectionsOptions) {
    this.#options = options;
  }

  /** The endpoints of Services with these addresses are gone. Deletes nothing before `start`. */
  add({ destinations, endpoints }: DeadEndpoints): void {
    for (const destination of destinations) this.#destinations.add(destination);
    for (const endpoint of endpoints) this.#endpoints.add(endpoint);
  }

  /** The rules lead new connections elsewhere now. Does not wait and does not throw. */
  start(): void {
    if (this.#endpoints.size > 0 && !this.#working) this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#endpoints.size > 0) {
      const dead: DeadEndpoints = { destinations: this.#destinations, endpoints: this.#endpoints };
      this.#destinations = new Set();
      this.#endpoints = new Set();
      await this.#delete(dead);
    }
    this.#working = false;
  }

  /** After a failure some clients wait until their connection times out: logged, but not a reason to stop. */
  async #delete(dead: DeadEndpoints): Promise<void> {
    const { family, conntrack, metrics, log } = this.#options;
    try {
      const deleted = await conntrack.deleteDead(family, dead);
      metrics.endedConnections.inc({ family }, deleted);
      log.info({ family, deleted, endpoints: dead.endpoints.size }, "deleted connections to endpoints on dead nodes");
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      metrics.conntrackFailures.inc({ family });
      log.warn(
        { err: error, family },
        "cannot delete connections to endpoints on dead nodes; each ends when it times out",
      );
    }
  }
}
