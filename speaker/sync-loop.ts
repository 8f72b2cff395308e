import type { Clock } from "../src/clock/clock.ts";
import type { BellhopError } from "../src/error/error.ts";
import type { IpFamily } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import type { Announcer } from "./announce/announcer.ts";
import type { ChangeListener } from "./change-feed.ts";
import type { Dataplane } from "./dataplane/dataplane.ts";
import { RepairDelay } from "./dataplane/repair-delay.ts";
import type { Host } from "./host.ts";
import type { SpeakerMetrics } from "./metrics.ts";
import type { PassingOn } from "./passing-on/passing-on.ts";
import type { ServiceRules } from "./service-rules.ts";
import type { Watched } from "./watches.ts";

export interface SyncLoopOptions {
  readonly announcer: Announcer;
  readonly rules: ServiceRules;
  readonly dataplane: Dataplane;
  readonly virtualIps: Watched["virtualIps"];
  readonly host: Host;
  readonly passingOn: Pick<PassingOn, "apply" | "written" | "mustWait">;
  readonly metrics: SpeakerMetrics;
  /** Receives what was written, and bugs; failed writes are not bugs and are tried again. */
  readonly changes: Pick<ChangeListener, "failed" | "rulesWritten" | "rulesRefused">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Follows changes in two steps. What needs no new rules is withdrawn and announced at once. Then the rules are written, one write at a
 * time, and addresses are announced whose rules have become complete by that. Nothing happens before `start`.
 */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  /** VirtualIPs that have changed since the last sync, and whether all must be planned again. */
  #changed = new Set<string>();
  #allChanged = true;
  #running = false;
  #requested = false;
  /** Whether there may be something to write, and whether a write is under way. */
  #dirty = false;
  #writing = false;
  #written = false;
  #cancelRetry: () => void = () => undefined;
  readonly #repairDelays: Readonly<Record<IpFamily, RepairDelay>> = {
    IPv4: new RepairDelay(),
    IPv6: new RepairDelay(),
  };
  readonly #cancelRepairs = new Map<IpFamily, () => void>();

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.request();
  }

  stop(): void {
    this.#running = false;
    this.#cancelRetry();
    for (const cancel of this.#cancelRepairs.values()) cancel();
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
   * repair waits longer, up to a second; writes for other reasons replace the table as well.
   */
  repair(family: IpFamily, difference: string): void {
    const { clock, dataplane, log } = this.#options;
    const waitMs = this.#repairDelays[family].nextMs(clock.monotonicMs());
    log.warn({ family, difference, waitMs }, "another program has changed our rules; writing them again");
    dataplane.foreignChange(family);
    this.#cancelRepairs.get(family)?.();
    this.#cancelRepairs.delete(family);
    if (waitMs === 0) this.request();
    else
      this.#cancelRepairs.set(
        family,
        clock.after(waitMs, () => this.request()),
      );
  }

  /** Requests a sync. */
  request(): void {
    if (this.#requested || !this.#running) return;
    this.#requested = true;
    // Events arrive in bursts: one sync covers all that were already received.
    setImmediate(() => this.#turn());
  }

  /** Withdraws and announces at once what needs no new rules, even while rules are being written. */
  #turn(): void {
    this.#requested = false;
    if (!this.#running) return;
    try {
      this.#plan();
      this.#announce();
    } catch (error) {
      this.#options.changes.failed(error);
      return;
    }
    this.#dirty = true;
    if (this.#writing) return;
    this.#writing = true;
    this.#writeWhileDirty().catch((error: unknown) => this.#options.changes.failed(error));
  }

  async #writeWhileDirty(): Promise<void> {
    try {
      while (this.#dirty && this.#running) {
        this.#dirty = false;
        await this.#writeRules();
      }
    } finally {
      this.#writing = false;
    }
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

  #announce(): void {
    const { announcer, dataplane, passingOn } = this.#options;
    announcer.apply(
      (address) => dataplane.isApplied(address),
      ({ text, announcedBy }) => passingOn.mustWait(text, announcedBy),
    );
  }

  async #writeRules(): Promise<void> {
    const { announcer, changes, clock, dataplane, log, metrics, passingOn, rules } = this.#options;
    dataplane.setInterfaces(announcer.lanInterfaces);
    passingOn.apply();
    const dirtySinceMs = rules.render();
    const { addresses: nodeAddresses, tcpLoose } = rules.node;
    const settings = { nodeAddresses, tcpLoose };
    const { newAddresses, refusalsChanged, failures } = await dataplane.apply(settings);
    if (announcer.rulesApplied([...newAddresses, ...passingOn.written()])) this.#announce();
    for (const service of refusalsChanged) this.#reportRefusal(service);
    this.#scheduleRetry();
    for (const { family, error } of failures) this.#reportFailure(family, error);
    changes.rulesWritten();
    if (failures.length > 0) return;
    if (!this.#written) log.info({ services: dataplane.services.length }, "rules written for the first time");
    this.#written = true;
    if (dirtySinceMs !== undefined) metrics.eventToRules.observe((clock.monotonicMs() - dirtySinceMs) / 1000);
  }

  #scheduleRetry(): void {
    const { clock, dataplane } = this.#options;
    this.#cancelRetry();
    const dueMs = dataplane.nextDueMs;
    if (dueMs !== undefined)
      this.#cancelRetry = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => this.request());
  }

  #reportFailure(family: IpFamily, error: BellhopError): void {
    this.#options.log.error(
      { err: error, family },
      "cannot write the rules; the previous rules stay, and addresses without rules are not announced",
    );
  }

  #reportRefusal(service: string): void {
    const { changes, dataplane, log } = this.#options;
    const refusal = dataplane.refusalOf(service);
    if (refusal === undefined) log.info({ service }, "the kernel accepts the rules of the Service again");
    else log.error({ service, ...refusal }, "the kernel refuses the rules of the Service; all others are written");
    changes.rulesRefused(service);
  }
}
