import { timeText } from "../../src/api/api.ts";
import { isManaged, type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { isNotFound, isRefused } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, type ObjectVersion, ownSubject } from "../../src/kube/event.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type Reason, reasonMessage } from "../../src/model/reason.ts";
import { ownersOf } from "../../src/placement/owner-assignment.ts";
import type { WriteRateLimiter } from "../../src/queue/write-rate-limiter.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import { followedAnnouncer } from "./follow-announcer.ts";
import type { HoldDeadlines } from "./hold-deadlines.ts";
import type { VirtualIpMetrics } from "./metrics.ts";
import type { OwnerAssignments } from "./owner-assignments.ts";
import {
  correctedForwardingOf,
  correctedPoolOf,
  desiredConditions,
  withDesiredConditions,
} from "./virtual-ip-conditions.ts";

export interface VirtualIpWriterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly virtualIps: Watched["virtualIps"];
  readonly state: ClusterState;
  readonly ownerAssignments: OwnerAssignments;
  readonly holds: HoldDeadlines;
  /** Records each write before it is sent. */
  readonly limiter: WriteRateLimiter;
  readonly metrics: VirtualIpMetrics;
  readonly clock: Clock;
}

/** The wall clock may be set while a hold lasts, so its end is checked again at least this often. */
const maxRecheckMs = 60_000;

/** Writes what is desired for one VirtualIP at a time. */
export class VirtualIpWriter {
  readonly #options: VirtualIpWriterOptions;

  constructor(options: VirtualIpWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes owners, interfaces, pool, forwarding and the controller's conditions, or deletes a hold that is over. Each write names the version that it
   * was planned for. Throws conflicts: the change that caused one calls this method again. Resolves to the time in ms after which to call
   * it again for a hold; undefined: after the next change.
   */
  async write(name: string): Promise<number | undefined> {
    const { state, virtualIps } = this.#options;
    const object = virtualIps.views.get(name);
    const unreadable = state.claims.unreadable(name);
    if (unreadable !== undefined) this.#recordReason(unreadable, unreadable.reason);
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
    const { state, ownerAssignments, clock } = this.#options;
    const { name } = planned.metadata;
    const assignment = ownerAssignments.desired(name);
    const invalid = state.claims.invalidReason(name);
    const membership = state.poolMembership(name);
    let object = planned;
    if (invalid !== undefined) this.#recordReason(object.metadata, invalid);
    const owners = ownerAssignments.writesFor(object);
    const pool = membership === undefined ? undefined : correctedPoolOf(object, membership);
    const forwarding = membership === undefined ? undefined : correctedForwardingOf(object, membership);
    const inSpec = isManaged(object) ? forwarding : undefined;
    const inStatus = isManaged(object) ? undefined : forwarding;
    if (owners?.spec !== undefined || pool !== undefined || inSpec !== undefined) {
      object = await this.#patchSpec(object, { ...owners?.spec, ...inSpec, ...(pool === undefined ? {} : { pool }) });
    }
    const desired = desiredConditions(object, assignment, invalid, membership);
    const conditions = withDesiredConditions(object.status?.conditions ?? [], desired, timeText(clock.wallMs()));
    if (owners?.status !== undefined || inStatus !== undefined || conditions !== undefined) {
      const status = { ...owners?.status, ...inStatus, ...(conditions === undefined ? {} : { conditions }) };
      try {
        object = await this.#patch(object, "/status", { status });
      } catch (error) {
        // The API server takes no write to an object that its schema no longer allows. The event has said why.
        if (invalid === undefined || !isRefused(error)) throw error;
      }
    }
    const spec = owners?.status === undefined ? undefined : ownerAssignments.specAfterStatus(object);
    if (spec !== undefined) object = await this.#patchSpec(object, spec);
    if (conditions !== undefined && membership?.reason !== undefined)
      this.#recordReason(object.metadata, membership.reason);
  }

  /** Deletes the hold or quarantine if it is over. Otherwise resolves to the time in ms until it is to be checked again. */
  async #endHold(object: VirtualIP, heldUntilMs: number): Promise<number | undefined> {
    const { client, state, holds, limiter } = this.#options;
    const { name } = object.metadata;
    const leftMs = state.claims.excessQuarantines.includes(name) ? 0 : holds.remainingMs(name, heldUntilMs);
    if (leftMs > 0) return Math.min(leftMs, maxRecheckMs);
    limiter.recordWrite(name);
    // By version as well: a Service may be taking it over at this moment.
    const body = { preconditions: versionOf(object) };
    await client.request({ method: "DELETE", path: ownPath("virtualips", name), body });
    return undefined;
  }

  #patchSpec(object: VirtualIP, spec: Record<string, unknown>): Promise<VirtualIP> {
    return this.#patch(object, "", { spec });
  }

  /** Resolves to the object as it is then. Records it if the address moves. */
  async #patch(object: VirtualIP, subresource: "" | "/status", content: Record<string, unknown>): Promise<VirtualIP> {
    const { client, limiter } = this.#options;
    const { name } = object.metadata;
    limiter.recordWrite(name);
    const path = `${ownPath("virtualips", name)}${subresource}`;
    const body = { metadata: versionOf(object), ...content };
    const answer = await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
    const written = virtualIpSchema.parse(answer.body);
    this.#options.ownerAssignments.written(written);
    this.#recordMove(object, ownersOf(written).owners);
    return written;
  }

  #recordReason(object: ObjectVersion, reason: Reason): void {
    const event = { type: "Warning", reason: reason.code, message: reasonMessage(reason) } as const;
    this.#options.events.record(ownSubject("VirtualIP", object), event);
  }

  /** An address never moves without an event. */
  #recordMove(object: VirtualIP, owners: readonly string[]): void {
    const { events, metrics } = this.#options;
    const former = ownersOf(object).owners;
    const before = former[0];
    const after = owners[0];
    if (before === after) return;
    // The list follows the speakers: this node announces the address already, and its speaker has recorded an event.
    if (after !== undefined && after === followedAnnouncer(object)) return;
    metrics.moves.inc();
    const message =
      after === undefined
        ? `No node may announce the address. Its last owner was ${before}.`
        : `The owners are ${owners.join(", then ")} (before: ${former.join(", then ") || "none"}).`;
    const type = after === undefined ? "Warning" : "Normal";
    events.record(ownSubject("VirtualIP", object.metadata), { type, reason: "OwnersChanged", message });
  }
}

/** Preconditions of a write. A merge patch replaces the whole list of conditions, so it must extend the newest one. */
function versionOf({ metadata: { uid, resourceVersion } }: VirtualIP): Record<string, string> {
  return { uid, resourceVersion };
}
