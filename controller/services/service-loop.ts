import type { Clock, Random } from "../../src/clock/clock.ts";
import { runInTurns, turnOf } from "../../src/clock/turn.ts";
import { formatAddress } from "../../src/ip/address.ts";
import { ApiError, isConflict, isRefused } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { type EventRecorder, serviceSubject } from "../../src/kube/event.ts";
import type { TermPart } from "../../src/kube/leadership-term.ts";
import type { Logger } from "../../src/log/log.ts";
import { type Reason, reasonOf, serviceObject } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { Queue, type WorkResult } from "../../src/queue/queue.ts";
import { WriteRateLimiter } from "../../src/queue/write-rate-limiter.ts";
import type { ChangeListener } from "../observe/change-feed.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import type { OwnerAssignments } from "../virtual-ips/owner-assignments.ts";
import type { ServiceMetrics } from "./metrics.ts";
import type { MutationCache } from "./mutation-cache.ts";
import { planUnchanged } from "./plan-refused.ts";
import { planService } from "./plan-service.ts";
import { ObservedServedServices } from "./served-services.ts";
import { readNamespaceLabels } from "./service-check.ts";
import type { ServicePlan } from "./service-plan.ts";
import type { ServiceWriter } from "./service-writer.ts";
import { StatusConflicts } from "./status-conflicts.ts";

type Labels = Readonly<Record<string, string>>;

export interface ServiceLoopOptions {
  readonly client: ApiClient;
  readonly watched: Pick<Watched, "services" | "namespaces">;
  readonly state: ClusterState;
  readonly ownerAssignments: OwnerAssignments;
  readonly writer: ServiceWriter;
  readonly mutations: MutationCache;
  /** Receives a call when work on a Service may have assigned or released addresses. */
  readonly changes: Pick<ChangeListener, "allocationsChanged">;
  readonly defaultClass: boolean;
  readonly workers: number;
  readonly metrics: ServiceMetrics;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Plans in a row for one key before it is retried later. Each but the first follows a lost race. */
const maxPlans = 8;

/** Works on Services by key: plans, records in the allocations what is about to be claimed, writes. */
export class ServiceLoop implements TermPart {
  readonly #options: ServiceLoopOptions;
  readonly #pending = new Map<string, Reason>();
  readonly #limiter: WriteRateLimiter;
  readonly #conflicts: StatusConflicts;
  readonly #served: ObservedServedServices;
  readonly queue: Queue<string>;

  constructor(options: ServiceLoopOptions) {
    this.#options = options;
    this.#limiter = new WriteRateLimiter(options.clock);
    this.#conflicts = new StatusConflicts(options.client, options.clock);
    this.#served = new ObservedServedServices(options);
    this.queue = new Queue({
      workers: options.workers,
      handle: (key) => this.#handle(key),
      onFailure: (key, error, retryMs) => this.#reportFailure(key, error, retryMs),
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock: options.clock,
      random: options.random,
    });
  }

  /** Call it when something about the Service has changed. It is planned now, or a little later if it was written to very often. */
  add(key: string): void {
    this.#limiter.add(this.queue, key);
  }

  start(): void {
    // Of an earlier term; what has changed since then was not followed.
    this.#pending.clear();
    this.#conflicts.clear();
    this.queue.start();
  }

  stop(): Promise<void> {
    return this.queue.stop();
  }

  /** Why each Service lacks something that it requests, by key. */
  get pending(): ReadonlyMap<string, Reason> {
    return this.#pending;
  }

  /** Plans every pending Service again. */
  wakePending(): void {
    for (const key of this.#pending.keys()) this.queue.add(key);
  }

  /**
   * Records in the allocations every address that a Service of ours shows, before any other is assigned. Older Services come first, so
   * that of two which show the same address the older keeps it.
   */
  async adoptShown(signal: AbortSignal): Promise<void> {
    await runInTurns(turnOf(this.#options.clock), this.#adoptAll(), () => !signal.aborted);
  }

  *#adoptAll(): Generator<void, void> {
    const { watched } = this.#options;
    const showing = [...watched.services.views.values()].filter((service) => service.ingress.length > 0);
    showing.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1));
    for (const { key } of showing) {
      // It may have changed since the list was made.
      const service = watched.services.views.get(key);
      if (service !== undefined) this.#adopt(service);
      yield;
    }
  }

  #adopt(service: ServiceView): void {
    const shown = new Set(service.ingress.map((entry) => entry.ip));
    // Labels decide about new addresses only.
    const { ops } = this.#plan(service.key, service, this.#served.namespaceLabels(service) ?? {});
    // New addresses are not chosen yet: they might be addresses that another Service shows.
    this.#options.writer.assume(
      service,
      ops.filter(
        (op) =>
          (op.kind === "CreateVirtualIp" && shown.has(formatAddress(op.address))) ||
          (op.kind === "JoinVirtualIp" && shown.has(formatAddress(op.claim.address))),
      ),
    );
  }

  async #handle(key: string): Promise<WorkResult> {
    try {
      return await this.#sync(key);
    } catch (error) {
      if (isLasting(error)) await this.#reportReason(key, (error as Error).message);
      throw error;
    } finally {
      this.#options.changes.allocationsChanged();
    }
  }

  async #sync(key: string): Promise<WorkResult> {
    const { client, watched, mutations, writer, metrics, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    // Addresses that the Service shows, but that the API server says it does not hold.
    const notClaimed = new Set<bigint>();
    // Labels of its namespace, which the watch has not shown yet.
    let unseenLabels: Labels | undefined;
    for (let turn = 0; turn < maxPlans; turn++) {
      const service = mutations.newest(key, watched.services.views.get(key));
      const namespaceLabels = this.#served.namespaceLabels(service) ?? unseenLabels;
      if (service !== undefined && namespaceLabels === undefined) {
        unseenLabels = await readNamespaceLabels(client, service.namespace);
        continue;
      }
      const plan = this.#plan(key, service, namespaceLabels ?? {});
      const unconfirmed = writer.findUnconfirmed(service, plan.ops).find(({ value }) => !notClaimed.has(value));
      if (service !== undefined && unconfirmed !== undefined) {
        if (!(await writer.lookUp(service, unconfirmed))) notClaimed.add(unconfirmed.value);
        continue;
      }
      if (service === undefined) this.#conflicts.forget(key);
      else if (this.#conflicts.observe(service, plan.ops)) {
        await this.#conflicts.identify(service);
        continue;
      }
      this.#recordPending(key, plan);
      for (const { kind } of plan.ops) metrics.operations.inc({ kind });
      if (service !== undefined) writer.assume(service, plan.ops);
      const result = await writer.write(key, service, plan.ops);
      if (plan.ops.some(({ kind }) => kind !== "Event")) this.#limiter.recordWrite(key);
      if (result === "outdated") return this.#retryAfterConflict(key);
      if (result === "replan" || plan.again) continue;
      if (service !== undefined) this.#conflicts.recordWritten(key, plan.ops);
      for (const other of plan.wakes ?? []) this.add(other);
      metrics.reconciles.inc({ result: plan.ops.length === 0 ? "unchanged" : "written" });
      metrics.reconcileSeconds.observe((clock.monotonicMs() - startedMs) / 1000);
      return "done";
    }
    metrics.reconciles.inc({ result: "failed" });
    const problem = "other Services were faster at every address that was planned for this one";
    log.warn({ service: key, plans: maxPlans }, `${problem}; trying again later`);
    await this.#reportReason(key, `In ${maxPlans} attempts, ${problem}.`);
    return "retry";
  }

  /** Another client wrote first. The watch will bring what it wrote. */
  #retryAfterConflict(key: string): WorkResult {
    this.#options.metrics.reconciles.inc({ result: "conflict" });
    this.#options.log.debug({ service: key }, "a Service changed while it was being processed");
    return "retry";
  }

  #plan(key: string, service: ServiceView | undefined, namespaceLabels: Labels): ServicePlan {
    const { state, ownerAssignments, defaultClass } = this.#options;
    return planService({
      key,
      service,
      allocations: state.currentAllocations(),
      namespaceLabels,
      defaultClass,
      served: this.#served,
      otherManager: this.#conflicts.managerOf(key),
      hasAnnouncer: (assignment) => service === undefined || ownerAssignments.hasAnnouncer(service, assignment),
    });
  }

  #recordPending(key: string, { reason }: ServicePlan): void {
    const before = this.#pending.get(key);
    if (reason === undefined) {
      this.#pending.delete(key);
      return;
    }
    this.#pending.set(key, reason);
    if (before?.code !== reason.code) this.#options.metrics.refusals.inc({ reason: reason.code });
  }

  /** Writes into the condition why the Service could not be updated, as far as that is possible. */
  async #reportReason(key: string, detail: string): Promise<void> {
    const { watched, mutations, writer, log } = this.#options;
    const service = mutations.newest(key, watched.services.views.get(key));
    if (service === undefined || service.deleting || service.type !== "LoadBalancer") return;
    const reason = reasonOf("SyncFailed", { object: serviceObject(service), field: "", value: "", detail });
    this.#pending.set(key, reason);
    try {
      await writer.write(key, service, planUnchanged(service, reason).ops);
    } catch (error) {
      log.debug({ service: key, err: error }, "the condition of a Service could not be written either");
    }
  }

  #reportFailure(key: string, error: unknown, retryMs: number): void {
    const { log, events, watched, metrics } = this.#options;
    if (isConflict(error)) {
      this.#retryAfterConflict(key);
      return;
    }
    metrics.reconciles.inc({ result: "failed" });
    log.warn(
      { service: key, retryMs: Math.round(retryMs), err: error },
      "a Service could not be updated; trying again",
    );
    const service = watched.services.views.get(key);
    if (service === undefined || !isLasting(error)) return;
    const message = `Error syncing load balancer: ${(error as Error).message}`;
    events.record(serviceSubject(service), { type: "Warning", reason: "SyncLoadBalancerFailed", message });
  }
}

/** Whether the same is likely to fail again: the API server refuses it, or an answer was not what it should be. */
function isLasting(error: unknown): boolean {
  // Errors of connections have a code, and so have those of Bellhop.
  return isRefused(error) || (error instanceof Error && !(error instanceof ApiError) && !("code" in error));
}
