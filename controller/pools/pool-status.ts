import { type Condition, timeText } from "../../src/api/api.ts";
import { metallbGroupVersion } from "../../src/api/metallb.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, type EventSubject, ownSubject } from "../../src/kube/event.ts";
import { ownPath } from "../../src/kube/path.ts";
import { reasonMessage } from "../../src/model/reason.ts";
import type { PoolObject } from "../observe/observed-pools.ts";
import { allInPool, poolConditions } from "./pool-conditions.ts";
import type { PoolFacts } from "./pool-facts.ts";

export interface PoolStatusPatch {
  readonly assignedIPv4: string;
  readonly availableIPv4: string;
  readonly assignedIPv6: string;
  readonly availableIPv6: string;
  readonly conditions?: readonly Condition[];
}

/** The patch that corrects the status; undefined: it is right. Counts are decimal texts, as those of an IPv6 pool exceed 2^53. */
export function planPoolStatus(
  { metadata, status }: PoolObject,
  facts: PoolFacts,
  now: string,
): PoolStatusPatch | undefined {
  const conditions = poolConditions(status?.conditions ?? [], facts, metadata.generation, now);
  const counts = {
    assignedIPv4: String(facts.ipv4?.assigned ?? 0n),
    availableIPv4: String(facts.ipv4?.available ?? 0n),
    assignedIPv6: String(facts.ipv6?.assigned ?? 0n),
    availableIPv6: String(facts.ipv6?.available ?? 0n),
  };
  const same = Object.entries(counts).every(([field, text]) => status?.[field as keyof typeof counts] === text);
  if (same && conditions === undefined) return undefined;
  return conditions === undefined ? counts : { ...counts, conditions };
}

export interface PoolStatusWriterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Writes the status of one pool if it differs, and records an event if the pool is rejected. Throws on conflict. */
export async function writePoolStatus(
  { client, events, clock }: PoolStatusWriterOptions,
  pool: PoolObject,
  facts: PoolFacts,
): Promise<void> {
  const { name, uid, resourceVersion } = pool.metadata;
  if (facts.rejected !== undefined) {
    const message = reasonMessage(facts.rejected);
    events.record(subjectOf(pool), { type: "Warning", reason: facts.rejected.code, message });
  }
  if (pool.metallbNamespace !== undefined) return;
  const status = planPoolStatus(pool, facts, timeText(clock.wallMs()));
  if (status === undefined) return;
  const outside = status.conditions?.find((condition) => condition.type === allInPool && condition.status === "False");
  const before = pool.status?.conditions?.find(({ type }) => type === allInPool);
  if (outside !== undefined && outside.message !== before?.message) {
    events.record(subjectOf(pool), { type: "Warning", reason: outside.reason, message: outside.message });
  }
  const path = `${ownPath("ipaddresspools", name)}/status`;
  const body = { metadata: { uid, resourceVersion }, status };
  try {
    await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** A pool of MetalLB is referred to as MetalLB's object. */
function subjectOf({ metadata, metallbNamespace: namespace }: PoolObject): EventSubject {
  const subject = ownSubject("IPAddressPool", metadata);
  return namespace === undefined ? subject : { ...subject, apiVersion: metallbGroupVersion, namespace };
}
