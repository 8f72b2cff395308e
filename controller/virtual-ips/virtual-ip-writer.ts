import type { Counter } from "prom-client";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { timeText } from "../../src/clock/time-text.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, ownSubject } from "../../src/kube/event.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type Reason, reasonMessage, reasonOf } from "../../src/model/reason.ts";
import type { PoolMembership } from "../allocate/pool/pool-membership.ts";
import type { HoldDeadlines } from "./hold-deadlines.ts";
import type { OwnerAssignments } from "./owner-assignments.ts";
import { announceable, inPool, newPoolOf, withDesiredConditions } from "./virtual-ip-conditions.ts";

export interface VirtualIpWriterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly keeper: OwnerAssignments;
  readonly virtualIps: () => ReadonlyMap<string, VirtualIP>;
  /** Which pool has the address now, or why none; undefined: it is no claim. */
  readonly membership: (name: string) => PoolMembership | undefined;
  /** Until when it is held for a Service that was deleted, as wall time. */
  readonly heldUntilMs: (name: string) => number | undefined;
  readonly holds: HoldDeadlines;
  /** Asks to be called for it again. */
  readonly later: (name: string, ms: number) => void;
  /** Why a VirtualIP is no valid claim. */
  readonly fault: (name: string) => Reason | undefined;
  /** Told of each write before it is sent. */
  readonly onWrite: () => void;
  /** Counts first owners that changed. */
  readonly moves: Counter;
  readonly clock: Clock;
}

const longestWaitMs = 60_000;

/**
 * Brings one VirtualIP to what the keeper wants: owners, interfaces and pool, and the controller's conditions, which appear with
 * the first fault and stay. Each write names the version that it was planned for; a conflict is thrown, and its cause brings us back.
 */
export async function writeVirtualIp(options: VirtualIpWriterOptions, name: string): Promise<void> {
  const { client, keeper, virtualIps } = options;
  let object = virtualIps().get(name);
  const heldUntilMs = options.heldUntilMs(name);
  if (object !== undefined && heldUntilMs !== undefined) return endHold(options, object, heldUntilMs);
  const wanted = keeper.wanted(name);
  const fault = options.fault(name);
  const membership = options.membership(name);
  if (object === undefined) return;
  const path = ownPath("virtualips", name);
  try {
    if (fault !== undefined) tell(options, object, fault);
    const announcement = wanted !== undefined && keeper.differs(name) ? wanted : undefined;
    const pool = membership === undefined ? undefined : newPoolOf(object, membership);
    if (announcement !== undefined || pool !== undefined) {
      const spec = { ...announcement, ...(pool === undefined ? {} : { pool }) };
      const body = { metadata: versionOf(object), spec };
      options.onWrite();
      const patched = await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
      if (announcement !== undefined) tellMove(options, object, announcement.owners);
      object = virtualIpSchema.parse(patched.body);
    }
    const reason = fault ?? (wanted?.owners.length === 0 ? noAnnouncer(object) : undefined);
    const desired = [
      ...(wanted === undefined && fault === undefined ? [] : [announceable(reason)]),
      ...(membership === undefined ? [] : [inPool(membership.reason)]),
    ];
    const conditions = withDesiredConditions(
      object.status?.conditions ?? [],
      desired,
      timeText(options.clock.wallMs()),
    );
    if (conditions === undefined) return;
    const body = { metadata: versionOf(object), status: { conditions } };
    options.onWrite();
    await client.request({ method: "PATCH", path: `${path}/status`, body, contentType: patchTypes.merge });
    if (membership?.reason !== undefined) tell(options, object, membership.reason);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Removes a hold that has expired; the wall clock may be set, so one that has not is looked at again now and then. */
async function endHold(options: VirtualIpWriterOptions, object: VirtualIP, heldUntilMs: number): Promise<void> {
  const { client, holds, later } = options;
  const { name } = object.metadata;
  const leftMs = holds.leftMs(name, heldUntilMs);
  if (leftMs > 0) return later(name, Math.min(leftMs, longestWaitMs));
  try {
    // Guarded by version too: a Service may take it up at this very moment.
    const body = { preconditions: versionOf(object) };
    options.onWrite();
    await client.request({ method: "DELETE", path: ownPath("virtualips", name), body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Both guard the write; a merge patch replaces the list of conditions, so it must be the newest that we extend. */
function versionOf({ metadata: { uid, resourceVersion } }: VirtualIP): Record<string, string> {
  return { uid, resourceVersion };
}

function noAnnouncer({ metadata, spec }: VirtualIP): Reason {
  return reasonOf("NoAnnouncer", { object: `VirtualIP ${metadata.name}`, field: "spec.address", value: spec.address });
}

function tell({ events }: VirtualIpWriterOptions, object: VirtualIP, fault: Reason): void {
  events.record(ownSubject("VirtualIP", object.metadata), {
    type: "Warning",
    reason: fault.code,
    message: reasonMessage(fault),
  });
}

/** An address never moves without a reason that can be read. */
function tellMove({ events, moves }: VirtualIpWriterOptions, object: VirtualIP, owners: readonly string[]): void {
  const before = object.spec.owners[0];
  const after = owners[0];
  if (before === after) return;
  moves.inc();
  const message =
    after === undefined
      ? `No node may announce it any more; ${before} did.`
      : `${owners.join(", then ")} (before: ${object.spec.owners.join(", then ") || "nobody"})`;
  events.record(ownSubject("VirtualIP", object.metadata), {
    type: after === undefined ? "Warning" : "Normal",
    reason: "OwnersChanged",
    message,
  });
}
