import type { Logger } from "pino";
import type { Clock } from "../../src/clock/clock.ts";
import { turnOf } from "../../src/clock/turn.ts";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
import type { ElementIndex } from "./element-index.ts";
import type { FlowRule } from "./flow.ts";
import { type FlowTarget, type FlowTargets, flowRule, touchedFlows } from "./flow-rules.ts";
import type { DataplaneMetrics } from "./metrics.ts";
import type { TableChange } from "./table-state.ts";
import { nftFamilies } from "./tables.ts";

export interface StaleFlowsOptions {
  readonly family: IpFamily;
  readonly conntrack: Conntrack;
  readonly index: ElementIndex;
  readonly metrics: DataplaneMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What has ended is looked at again after these times: kube-proxy writes its rules at most once a second by default, and in a large cluster it
 * may take most of a minute.
 */
const againMs = [5_000, 60_000] as const;

/**
 * Deletes UDP flows that the rules of one family no longer allow, after the rules have changed and without that rules or announcements
 * wait for it. One search of the table at a time; changes that come during one are in the next together.
 */
export class StaleFlows {
  readonly #options: StaleFlowsOptions;
  #touched = new Map<string, FlowTarget>();
  #nodeAddress: string | undefined;
  #working = false;
  readonly #cancels = new Set<() => void>();

  constructor(options: StaleFlowsOptions) {
    this.#options = options;
  }

  /** A change has been written. Does not wait and does not throw. */
  written(change: TableChange, nodeAddress: string | undefined): void {
    const { now, again } = touchedFlows(change);
    this.#nodeAddress = nodeAddress;
    this.#touch(now);
    if (again.size === 0) return;
    for (const ms of againMs) {
      const cancel = this.#options.clock.after(ms, () => {
        this.#cancels.delete(cancel);
        this.#touch(again);
      });
      this.#cancels.add(cancel);
    }
  }

  /** Nothing is looked at again. */
  stop(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #touch(targets: FlowTargets): void {
    for (const [id, target] of targets) this.#touched.set(id, target);
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
  async #delete(targets: readonly FlowTarget[]): Promise<void> {
    const { family, conntrack, index, metrics, clock, log } = this.#options;
    const turn = turnOf(clock);
    const rules: FlowRule[] = [];
    for (const target of targets) {
      // After the first rules of many Services their addresses come first.
      if (turn.over) await turn.next();
      rules.push(flowRule(nftFamilies[family], target, index, this.#nodeAddress));
    }
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
