import { Backoff } from "../src/clock/backoff.ts";
import type { Clock, Random } from "../src/clock/clock.ts";
import { BellhopError } from "../src/error/error.ts";
import type { IpFamily } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import type { Announcer } from "./announce/announcer.ts";
import type { ChangeListener } from "./change-feed.ts";
import type { Dataplane } from "./dataplane/dataplane.ts";
import { RepairDelay } from "./dataplane/repair-delay.ts";
import type { Host } from "./host.ts";
import type { SpeakerMetrics } from "./metrics.ts";
import type { ServiceRules } from "./service-rules.ts";
import type { Watched } from "./watches.ts";

export interface SyncLoopOptions {
  readonly announcer: Announcer;
  readonly rules: ServiceRules;
  readonly dataplane: Dataplane;
  readonly virtualIps: Watched["virtualIps"];
  readonly host: Host;
  /** Number of the bit, 0 to 31, that marks rewritten packets. */
  readonly markBit: number;
  readonly metrics: SpeakerMetrics;
  /** Receives bugs; failed writes are not bugs and are tried again. */
  readonly changes: Pick<ChangeListener, "failed">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The first wait after a failed write, and the longest; each is twice the one before. */
const retryBaseMs = 500;
const retryMaxMs = 30_000;

/** One sync at a time: plan, write the rules, and only then announce. Nothing happens before `start`. */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #backoff: Backoff;
  /** VirtualIPs that have changed since the last sync, and whether all must be planned again. */
  #changed = new Set<string>();
  #allChanged = true;
  #running = false;
  #pending = false;
  #working = false;
  #rulesWritten = false;
  #cancelRetry: () => void = () => undefined;
  readonly #repairs = new RepairDelay();
  #cancelRepair: () => void = () => undefined;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
    this.#backoff = new Backoff(retryBaseMs, retryMaxMs, options.random);
  }

  /** Whether the rules have been written successfully at least once. */
  get rulesWritten(): boolean {
    return this.#rulesWritten;
  }

  start(): void {
    this.#running = true;
    this.request();
  }

  stop(): void {
    this.#running = false;
    this.#cancelRetry();
    this.#cancelRepair();
  }

  /** A VirtualIP was added, changed or deleted. */
  virtualIpChanged(name: string): void {
    this.#changed.add(name);
    this.request();
  }

  /** Every VirtualIP must be planned again: interfaces have changed, or a resync is due. */
  allChanged(): void {
    this.#allChanged = true;
    this.request();
  }

  /** Replaces the tables and plans everything again, in case something else has changed the rules. */
  resync(): void {
    this.#options.metrics.resyncs.inc();
    this.#options.dataplane.invalidate();
    this.allChanged();
  }

  /**
   * Something else has changed our table: it is replaced at once. If that happens again and again, as with a program that keeps deleting it, each
   * repair waits longer, up to 30 s; writes for other reasons replace the table as well.
   */
  repair(family: IpFamily, difference: string): void {
    const { clock, dataplane, log } = this.#options;
    const waitMs = this.#repairs.nextMs(clock.monotonicMs());
    log.warn({ family, difference, waitMs }, "another program has changed our rules; writing them again");
    dataplane.foreignChange(family);
    this.#cancelRepair();
    if (waitMs === 0) this.request();
    else this.#cancelRepair = clock.after(waitMs, () => this.request());
  }

  /** Requests a sync. */
  request(): void {
    this.#pending = true;
    if (this.#working || !this.#running) return;
    this.#working = true;
    this.#work().catch((error: unknown) => this.#options.changes.failed(error));
  }

  async #work(): Promise<void> {
    try {
      while (this.#pending && this.#running) {
        // Events arrive in bursts: one sync covers all that were already received, also during this wait.
        await new Promise((resolve) => setImmediate(resolve));
        this.#pending = false;
        await this.#syncOnce();
      }
    } finally {
      this.#working = false;
    }
  }

  /** Without rules nothing new is announced; addresses that are no longer ours are withdrawn. */
  async #syncOnce(): Promise<void> {
    const { announcer, dataplane, rules } = this.#options;
    this.#plan();
    dataplane.setInterfaces(announcer.lanInterfaces);
    const dirtySinceMs = rules.render();
    const written = await this.#writeRules(dirtySinceMs);
    announcer.apply(!written);
  }

  #plan(): void {
    const { announcer, virtualIps, host } = this.#options;
    const { views } = virtualIps;
    const changed = this.#changed;
    this.#changed = new Set();
    if (this.#allChanged) announcer.planAll(views, host.links);
    else for (const name of changed) announcer.plan(name, views.get(name));
    this.#allChanged = false;
  }

  async #writeRules(dirtySinceMs: number | undefined): Promise<boolean> {
    const { clock, dataplane, log, markBit, metrics, rules } = this.#options;
    try {
      // Unsigned: bit 31 must not make it negative.
      await dataplane.apply({ nodeAddresses: rules.node.addresses, markBit: (1 << markBit) >>> 0 });
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      const retryMs = this.#backoff.nextMs();
      log.error(
        { err: error, retryMs },
        "cannot write the rules; the previous rules stay, and nothing new is announced",
      );
      this.#cancelRetry();
      this.#cancelRetry = clock.after(retryMs, () => this.request());
      return false;
    }
    this.#backoff.reset();
    if (dirtySinceMs !== undefined) metrics.eventToRules.observe((clock.monotonicMs() - dirtySinceMs) / 1000);
    if (!this.#rulesWritten) log.info({ services: dataplane.services.length }, "rules written for the first time");
    this.#rulesWritten = true;
    return true;
  }
}
