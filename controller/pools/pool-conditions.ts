import type { Condition } from "../../src/api/api.ts";
import { formatAddress } from "../../src/ip/address.ts";
import { type ConditionState, withConditions } from "../../src/model/condition.ts";
import { listSome } from "../../src/model/list-some.ts";
import { reasonMessage } from "../../src/model/reason.ts";
import type { PoolFacts } from "./pool-facts.ts";

/**
 * The conditions of a pool, as kstatus reads them, and so Flux and Argo CD: Ready is True wherever there is nothing to wait for, and Stalled
 * is True where only a change of the pool helps. AllInPool and AddressesBlocked appear with the first address that they list, and Stalled
 * with the first fault. Undefined: no change.
 */
export function poolConditions(
  present: readonly Condition[],
  facts: PoolFacts,
  observedGeneration: number,
  now: string,
): readonly Condition[] | undefined {
  const reported = (type: string, listed: readonly unknown[]): boolean =>
    listed.length > 0 || present.some((condition) => condition.type === type);
  const desired = [
    readyCondition(facts, observedGeneration),
    ...(reported(stalled, facts.rejected === undefined ? [] : [facts.rejected])
      ? [stalledCondition(facts.rejected, observedGeneration)]
      : []),
    ...(reported(allInPool, facts.outside) ? [outsideCondition(facts.outside, observedGeneration)] : []),
    ...(reported(addressesBlocked, facts.blocked) ? [blockedCondition(facts.blocked, observedGeneration)] : []),
  ];
  const after = withConditions(present, desired, now);
  return after === present ? undefined : after;
}

export const allInPool = "AllInPool";
const addressesBlocked = "AddressesBlocked";
/** The name that kstatus knows (sigs.k8s.io/cli-utils, pkg/kstatus/status/core.go). */
const stalled = "Stalled";

function stalledCondition(rejected: PoolFacts["rejected"], observedGeneration: number): ConditionState {
  const type = stalled;
  if (rejected !== undefined)
    return { type, status: "True", reason: rejected.code, message: reasonMessage(rejected), observedGeneration };
  return { type, status: "False", reason: "Usable", message: "The pool is usable.", observedGeneration };
}

function outsideCondition(outside: PoolFacts["outside"], observedGeneration: number): ConditionState {
  const type = allInPool;
  if (outside.length === 0) {
    const message = "The pool contains all addresses that it has assigned.";
    return { type, status: "True", reason: "AllInside", message, observedGeneration };
  }
  const message = `Services keep ${listSome(outside.map(formatAddress), maxAddresses)}, which the pool no longer contains. Put these addresses back, or move the Services: kubectl annotate service NAME bellhop.dev/reassign=now.`;
  return { type, status: "False", reason: "AddressOutsidePool", message, observedGeneration };
}

function blockedCondition(addresses: PoolFacts["blocked"], observedGeneration: number): ConditionState {
  const type = addressesBlocked;
  if (addresses.length === 0) {
    const message = "Nothing outside Bellhop uses an address of the pool.";
    return { type, status: "False", reason: "NothingElse", message, observedGeneration };
  }
  const texts = addresses.map(
    ({ address, sources }) => `${formatAddress(address)} (${listSome([...sources].sort(), maxSources)})`,
  );
  const message = `The pool does not assign these addresses, because something else uses them: ${listSome(texts, maxAddresses)}.`;
  return { type, status: "True", reason: "UsedElsewhere", message, observedGeneration };
}

const maxAddresses = 10;

/** As many of the things that use one address: any number of Services may have it in spec.externalIPs. */
const maxSources = 3;

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
    return condition(
      "True",
      "Draining",
      "The pool is draining. Services keep their addresses, and the pool assigns no new ones.",
    );
  if (ofNodes && (ipv4?.available ?? 0n) + (ipv6?.available ?? 0n) === 0n) {
    const message =
      "No node that takes part in load balancing matches spec.nodeAddresses.nodeSelectors, so the pool has no addresses.";
    return condition("True", "NoNodeAddress", message);
  }
  return condition("True", "InUse", "The pool assigns addresses.");
}
