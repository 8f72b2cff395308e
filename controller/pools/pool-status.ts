import { type Condition, timeText } from "../../src/api/api.ts";
import { metallbGroupVersion } from "../../src/api/metallb.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { formatAddress } from "../../src/ip/address.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, type EventSubject, ownSubject } from "../../src/kube/event.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type ConditionState, withCondition } from "../../src/model/condition.ts";
import { reasonMessage } from "../../src/model/reason.ts";
import type { PoolObject } from "../observe/observed-pools.ts";
import type { PoolFacts } from "./pool-facts.ts";

export interface PoolStatusPatch {
  readonly assignedIPv4: string;
  readonly availableIPv4: string;
  readonly assignedIPv6: string;
  readonly availableIPv6: string;
  readonly conditions?: readonly Condition[];
}

/** What the status must become; undefined when it is right. Counts are decimal texts, as an IPv6 pool goes beyond any number. */
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

/** The two that tell of addresses appear with the first such address and stay. Undefined where nothing would change. */
function poolConditions(
  present: readonly Condition[],
  facts: PoolFacts,
  observedGeneration: number,
  now: string,
): readonly Condition[] | undefined {
  const told = (type: string, addresses: readonly unknown[]): boolean =>
    addresses.length > 0 || present.some((condition) => condition.type === type);
  const wanted = [
    readyCondition(facts, observedGeneration),
    ...(told(allInPool, facts.outside) ? [outsideCondition(facts.outside, observedGeneration)] : []),
    ...(told(leftOut, facts.leftOut) ? [leftOutCondition(facts.leftOut, observedGeneration)] : []),
  ];
  const after = wanted.reduce((list, condition) => withCondition(list, condition, now) ?? list, present);
  return after === present ? undefined : after;
}

const allInPool = "AllInPool";
const leftOut = "AddressesLeftOut";

function outsideCondition(outside: PoolFacts["outside"], observedGeneration: number): ConditionState {
  const type = allInPool;
  if (outside.length === 0) {
    const message = "The pool has all addresses that were given from it.";
    return { type, status: "True", reason: "AllInside", message, observedGeneration };
  }
  const message = `Services keep ${someOf(outside.map(formatAddress))}, which the pool does not have any more. Put them back, or move a Service: kubectl annotate service NAME bellhop.dev/reassign=now.`;
  return { type, status: "False", reason: "AddressOutsidePool", message, observedGeneration };
}

function leftOutCondition(addresses: PoolFacts["leftOut"], observedGeneration: number): ConditionState {
  const type = leftOut;
  if (addresses.length === 0) {
    const message = "Nothing else uses an address of the pool.";
    return { type, status: "False", reason: "NothingElse", message, observedGeneration };
  }
  const texts = addresses.map(
    ({ address, sources }) => `${formatAddress(address)} (${[...sources].sort().join(", ")})`,
  );
  const message = `Not given, because something else uses them: ${someOf(texts)}.`;
  return { type, status: "True", reason: "UsedElsewhere", message, observedGeneration };
}

/** As many as a reader will read. */
function someOf(texts: readonly string[]): string {
  const most = 10;
  const rest = texts.length - most;
  return rest > 0 ? `${texts.slice(0, most).join(", ")} and ${rest} more` : texts.join(", ");
}

function readyCondition(
  { rejected, draining, ofNodes, ipv4, ipv6 }: PoolFacts,
  observedGeneration: number,
): ConditionState {
  const condition = (status: "True" | "False", reason: string, message: string): ConditionState => ({
    type: "Ready",
    status,
    reason,
    message,
    observedGeneration,
  });
  if (rejected !== undefined) return condition("False", rejected.code, reasonMessage(rejected));
  if (draining)
    return condition("False", "Draining", "Services keep what they have from the pool; it gives nothing new.");
  if (ofNodes && (ipv4?.available ?? 0n) + (ipv6?.available ?? 0n) === 0n) {
    const message =
      "No node that takes part in load balancing fits spec.nodeAddresses.nodeSelectors, so the pool has nothing to give.";
    return condition("False", "NoNodeAddress", message);
  }
  return condition("True", "InUse", "The pool gives addresses.");
}

export interface PoolStatusWriterOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Writes the status of one pool if it differs, and tells an event when it is set aside. Throws on conflict. */
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

/** The pool, where it is MetalLB's as an object of MetalLB. */
function subjectOf({ metadata, metallbNamespace: namespace }: PoolObject): EventSubject {
  const subject = ownSubject("IPAddressPool", metadata);
  return namespace === undefined ? subject : { ...subject, apiVersion: metallbGroupVersion, namespace };
}
