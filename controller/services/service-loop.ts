import type { Clock, Random } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { formatAddress } from "../../src/ip/address.ts";
import { ApiError, isConflict, isRefused } from "../../src/kube/api-error.ts";
import { type EventRecorder, serviceSubject } from "../../src/kube/event.ts";
import type { Logger } from "../../src/log/log.ts";
import type { Reason } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { Queue } from "../../src/queue/queue.ts";
import { WriteRateLimiter } from "../../src/queue/write-rate-limiter.ts";
import type { AllocationsReader } from "../allocate/address-allocations.ts";
import type { Assignment } from "../allocate/allocation.ts";
import type { ControllerMetrics } from "../metrics.ts";
import type { MutationCache } from "./mutation-cache.ts";
import { planService, type ServicePlan } from "./plan-service.ts";
import type { ServiceWriter } from "./service-writer.ts";

export interface ServiceLoopOptions {
  /** With all that is known of pools by now. */
  readonly allocations: () => AllocationsReader;
  readonly writer: ServiceWriter;
  readonly newest: MutationCache;
  readonly services: () => ReadonlyMap<string, ServiceView>;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly hasAnnouncer: (service: ServiceView, assignment: Assignment) => boolean;
  readonly defaultClass: boolean;
  readonly workers: number;
  readonly metrics: () => ControllerMetrics;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Plans in a row for one key before it waits its turn again; each but the first follows a lost race. */
const maxPlans = 8;

/** Works on Services by key: plans, notes in the allocations what it is about to claim, writes. */
export class ServiceLoop {
  readonly #options: ServiceLoopOptions;
  readonly #pending = new Map<string, Reason>();
  readonly #pace: WriteRateLimiter;
  readonly queue: Queue<string>;

  constructor(options: ServiceLoopOptions) {
    this.#options = options;
    this.#pace = new WriteRateLimiter(options.clock);
    this.queue = new Queue({
      workers: options.workers,
      handle: (key) => this.#handle(key),
      onFailure: (key, error, retryMs) => this.#tellFailure(key, error, retryMs),
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock: options.clock,
      random: options.random,
    });
  }

  /** Something about the Service has changed. It is looked at now, or a little later when it has been written to very often. */
  add(key: string): void {
    this.#pace.add(this.queue, key);
  }

  get pending(): ReadonlyMap<string, Reason> {
    return this.#pending;
  }

  /** Looks again at every Service that lacks something. */
  wakePending(): void {
    for (const key of this.#pending.keys()) this.queue.add(key);
  }

  /**
   * Notes in the allocations every address that a Service of ours shows, before any is given out; older Services first, so that of two
   * which show the same address the older keeps it.
   */
  adoptShown(): void {
    const { services, writer } = this.#options;
    const showing = [...services().values()].filter((service) => service.ingress.length > 0);
    const byAge = showing.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1));
    for (const service of byAge) {
      const shown = new Set(service.ingress.map((entry) => entry.ip));
      const { ops } = this.#plan(service.key, service);
      // What else it lacks is not chosen now: it might be an address that another Service shows.
      writer.assume(
        service,
        ops.filter(
          (op) =>
            (op.kind === "CreateVirtualIp" && shown.has(formatAddress(op.address))) ||
            (op.kind === "JoinVirtualIp" && shown.has(formatAddress(op.claim.address))),
        ),
      );
    }
  }

  async #handle(key: string): Promise<void> {
    const { services, newest, writer, clock } = this.#options;
    const metrics = this.#options.metrics();
    const startedMs = clock.monotonicMs();
    // Addresses that are not its own, though it shows them.
    const strange = new Set<bigint>();
    for (let turn = 0; turn < maxPlans; turn++) {
      const service = newest.newest(key, services().get(key));
      const plan = this.#plan(key, service);
      const doubtful = writer.doubtful(service, plan.ops).find(({ value }) => !strange.has(value));
      if (service !== undefined && doubtful !== undefined) {
        if (!(await writer.lookUp(service, doubtful))) strange.add(doubtful.value);
        continue;
      }
      this.#note(key, plan);
      for (const { kind } of plan.ops) metrics.operations.inc({ kind });
      if (service !== undefined) writer.assume(service, plan.ops);
      const result = await writer.write(key, service, plan.ops);
      if (plan.ops.some(({ kind }) => kind !== "Event")) this.#pace.recordWrite(key);
      if (result === "outdated") throw new BellhopError("ViewOutdated", `Service ${key} has changed since it was seen`);
      if (result === "replan" || plan.again) continue;
      metrics.reconciles.inc({ result: plan.ops.length === 0 ? "unchanged" : "written" });
      metrics.reconcileSeconds.observe((clock.monotonicMs() - startedMs) / 1000);
      return;
    }
    throw new BellhopError("ApiRequestFailed", `lost ${maxPlans} races for an address of Service ${key}`);
  }

  #plan(key: string, service: ServiceView | undefined): ServicePlan {
    const { allocations, namespaceLabels, hasAnnouncer, defaultClass } = this.#options;
    return planService({
      key,
      service,
      allocations: allocations(),
      namespaceLabels: namespaceLabels(service?.namespace ?? ""),
      defaultClass,
      hasAnnouncer: (assignment) => service === undefined || hasAnnouncer(service, assignment),
    });
  }

  #note(key: string, { reason }: ServicePlan): void {
    const before = this.#pending.get(key);
    if (reason === undefined) {
      this.#pending.delete(key);
      return;
    }
    this.#pending.set(key, reason);
    if (before?.code !== reason.code) this.#options.metrics().refusals.inc({ reason: reason.code });
  }

  #tellFailure(key: string, error: unknown, retryMs: number): void {
    const { log, events, services, metrics } = this.#options;
    // Somebody wrote first; what they wrote is on its way to us.
    if (isConflict(error) || isOutdated(error)) {
      metrics().reconciles.inc({ result: "conflict" });
      log.debug({ service: key, retryMs }, "a Service changed while it was worked on");
      return;
    }
    metrics().reconciles.inc({ result: "failed" });
    log.warn({ service: key, retryMs: Math.round(retryMs), err: error }, "a Service could not be brought up to date");
    const service = services().get(key);
    if (service === undefined || !isRefused(error)) return;
    const message = `Error syncing load balancer: ${(error as Error).message}`;
    events.record(serviceSubject(service), { type: "Warning", reason: "SyncLoadBalancerFailed", message });
  }
}

function isOutdated(error: unknown): boolean {
  return error instanceof BellhopError && error.code === "ViewOutdated";
}
