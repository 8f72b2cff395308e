import type { Logger } from "pino";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
import type { ServicePortKey } from "./element.ts";
import type { ElementIndex } from "./element-index.ts";
import { flowRule, touchedUdpPorts } from "./flow-rules.ts";
import type { DataplaneMetrics } from "./metrics.ts";
import type { TableChange } from "./table-state.ts";
import { nftFamilies } from "./tables.ts";

export interface StaleFlowsOptions {
  readonly family: IpFamily;
  readonly conntrack: Conntrack;
  readonly index: ElementIndex;
  readonly metrics: DataplaneMetrics;
  readonly log: Logger;
}

/**
 * Deletes UDP flows that the rules of one family no longer allow, after the rules have changed and without that rules or announcements
 * wait for it. One search of the table at a time; changes that come during one are in the next together.
 */
export class StaleFlows {
  readonly #options: StaleFlowsOptions;
  #touched = new Map<string, ServicePortKey>();
  #nodeAddress: string | undefined;
  #working = false;

  constructor(options: StaleFlowsOptions) {
    this.#options = options;
  }

  /** A change has been written. Does not wait and does not throw. */
  written(change: TableChange, nodeAddress: string | undefined): void {
    for (const [id, key] of touchedUdpPorts(nftFamilies[this.#options.family], change)) this.#touched.set(id, key);
    this.#nodeAddress = nodeAddress;
    if (this.#touched.size > 0 && !this.#working) this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#touched.size > 0) {
      const touched = this.#touched;
      this.#touched = new Map();
      await this.#delete([...touched.values()]);
    }
    this.#working = false;
  }

  /** After a failure some UDP clients stay with a pod that is gone until their flow times out: logged, but not a reason to stop. */
  async #delete(keys: readonly ServicePortKey[]): Promise<void> {
    const { family, conntrack, index, metrics, log } = this.#options;
    const rules = keys.map((key) => flowRule(nftFamilies[family], key, index, this.#nodeAddress));
    try {
      const deleted = await conntrack.deleteStale(family, rules);
      if (deleted === 0) return;
      metrics.deletedFlows.inc({ family }, deleted);
      log.info({ family, deleted }, "deleted UDP flows that the rules no longer allow");
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      metrics.conntrackFailures.inc({ family });
      log.warn({ err: error, family }, "cannot delete stale UDP flows; each ends by itself once it pauses");
    }
  }
}
