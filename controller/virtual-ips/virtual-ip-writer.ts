import { timeText } from "../../src/api/api.ts";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, ownSubject } from "../../src/kube/event.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type Reason, reasonMessage, reasonOf } from "../../src/model/reason.ts";
import type { WriteRateLimiter } from "../../src/queue/write-rate-limiter.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import type { HoldDeadlines } from "./hold-deadlines.ts";
import type { VirtualIpMetrics } from "./metrics.ts";
import type { OwnerAssignments } from "./owner-assignments.ts";
import { announceable, correctedPoolOf, inPool, withDesiredConditions } from "./virtual-ip-conditions.ts";

export interface VirtualIpWriterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly virtualIps: Watched["virtualIps"];
  readonly state: ClusterState;
  readonly assignments: OwnerAssignments;
  readonly holds: HoldDeadlines;
  /** Hears of each write before it is sent. */
  readonly limiter: WriteRateLimiter;
  readonly metrics: VirtualIpMetrics;
  readonly clock: Clock;
}

const maxRecheckMs = 60_000;

/** Brings one VirtualIP at a time to what is planned for it. */
export class VirtualIpWriter {
  readonly #options: VirtualIpWriterOptions;

  constructor(options: VirtualIpWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes owners, interfaces and pool, and the controller's conditions, which appear with the first reason and stay. Each write
   * names the version that it was planned for; a conflict is thrown, and its cause brings us back. Returns after how many
   * milliseconds to look at it again; undefined: after its next change.
   */
  async write(name: string): Promise<number | undefined> {
    const { state, virtualIps } = this.#options;
    const object = virtualIps.views.get(name);
    if (object === undefined) return undefined;
    const heldUntilMs = state.allocations.claims.get(name)?.heldUntilMs;
    try {
      if (heldUntilMs !== undefined) return await this.#endHold(object, heldUntilMs);
      await this.#update(object);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  }

  async #update(planned: VirtualIP): Promise<void> {
    const { state, assignments, clock } = this.#options;
    const { name } = planned.metadata;
    const wanted = assignments.desired(name);
    const invalid = state.claims.invalidReason(name);
    const membership = state.poolMembership(name);
    let object = planned;
    if (invalid !== undefined) this.#recordReason(object, invalid);
    const owners = wanted !== undefined && assignments.differs(name) ? wanted : undefined;
    const pool = membership === undefined ? undefined : correctedPoolOf(object, membership);
    if (owners !== undefined || pool !== undefined) {
      const spec = { ...owners, ...(pool === undefined ? {} : { pool }) };
      const patched = await this.#patch(name, ownPath("virtualips", name), { metadata: versionOf(object), spec });
      if (owners !== undefined) this.#recordMove(object, owners.owners);
      object = virtualIpSchema.parse(patched);
    }
    const reason = invalid ?? (wanted?.owners.length === 0 ? noAnnouncer(object) : undefined);
    const desired = [
      ...(wanted === undefined && invalid === undefined ? [] : [announceable(reason)]),
      ...(membership === undefined ? [] : [inPool(membership.reason)]),
    ];
    const conditions = withDesiredConditions(object.status?.conditions ?? [], desired, timeText(clock.wallMs()));
    if (conditions === undefined) return;
    const path = `${ownPath("virtualips", name)}/status`;
    await this.#patch(name, path, { metadata: versionOf(object), status: { conditions } });
    if (membership?.reason !== undefined) this.#recordReason(object, membership.reason);
  }

  /** Removes a hold that has expired; the wall clock may be set, so one that has not is looked at again now and then. */
  async #endHold(object: VirtualIP, heldUntilMs: number): Promise<number | undefined> {
    const { client, holds, limiter } = this.#options;
    const { name } = object.metadata;
    const leftMs = holds.remainingMs(name, heldUntilMs);
    if (leftMs > 0) return Math.min(leftMs, maxRecheckMs);
    limiter.recordWrite(name);
    // Guarded by version too: a Service may take it up at this very moment.
    const body = { preconditions: versionOf(object) };
    await client.request({ method: "DELETE", path: ownPath("virtualips", name), body });
    return undefined;
  }

  async #patch(name: string, path: string, body: Record<string, unknown>): Promise<unknown> {
    const { client, limiter } = this.#options;
    limiter.recordWrite(name);
    return (await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge })).body;
  }

  #recordReason(object: VirtualIP, reason: Reason): void {
    const event = { type: "Warning", reason: reason.code, message: reasonMessage(reason) } as const;
    this.#options.events.record(ownSubject("VirtualIP", object.metadata), event);
  }

  /** An address never moves without a reason that can be read. */
  #recordMove(object: VirtualIP, owners: readonly string[]): void {
    const { events, metrics } = this.#options;
    const before = object.spec.owners[0];
    const after = owners[0];
    if (before === after) return;
    metrics.moves.inc();
    const message =
      after === undefined
        ? `No node may announce the address. Its last owner was ${before}.`
        : `The owners are ${owners.join(", then ")} (before: ${object.spec.owners.join(", then ") || "none"}).`;
    const type = after === undefined ? "Warning" : "Normal";
    events.record(ownSubject("VirtualIP", object.metadata), { type, reason: "OwnersChanged", message });
  }
}

/** Both guard the write; a merge patch replaces the list of conditions, so it must be the newest that we extend. */
function versionOf({ metadata: { uid, resourceVersion } }: VirtualIP): Record<string, string> {
  return { uid, resourceVersion };
}

function noAnnouncer({ metadata, spec }: VirtualIP): Reason {
  return reasonOf("NoAnnouncer", { object: `VirtualIP ${metadata.name}`, field: "spec.address", value: spec.address });
}
