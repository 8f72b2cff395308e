import { formatAddress, parseAddress } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import { isOurClass, type ServiceView } from "../../../src/model/service.ts";
import { serviceNameOf } from "../../../src/model/service-reference.ts";
import type { Allocation } from "../../allocate/choose/allocation.ts";
import { type Announcers, createAnnouncers } from "./announcers.ts";
import { findBgpOnly } from "./bgp-only.ts";
import { findClusterNotes } from "./cluster-notes.ts";
import { explainLost } from "./lost-addresses.ts";
import { harmlessOutcomes, type MigrationCheck, type Outcome, type ServiceChange } from "./migration-check.ts";
import type { MigrationInput } from "./migration-input.ts";
import { describePools } from "./pool-facts.ts";
import { findRemarks } from "./remarks.ts";
import { findServedBy } from "./served-by.ts";
import { noMarks } from "./service-marks.ts";
import { takeOver } from "./take-over.ts";

/** Says what would change for each Service if Bellhop took over now. Decides with the controller's own functions. */
export function checkMigration(input: MigrationInput): MigrationCheck {
  const { allocations, candidates, manifests, metallb, defaultClass, unreadable } = input;
  const services = input.services
    .filter(({ type }) => type === "LoadBalancer")
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const ours = services.filter((service) => isTakenOver(service, input));
  const planned = takeOver(allocations, ours, input.namespaceLabels);
  const metallbPools = [...input.pools].filter(([, pool]) => "metallbNamespace" in pool).map(([name]) => name);
  const announcers = createAnnouncers(candidates, findBgpOnly(metallbPools, input.bgp, candidates));
  const changes = services.map((service) => describeService(service, planned, announcers, input));
  const rejected = [...allocations.rejected.values(), ...candidates.refusedAdvertisements];
  const invalid = manifests.flatMap(({ reasons }) => reasons);
  const changed = changes.some(({ outcome }) => !harmlessOutcomes.has(outcome));
  return {
    unchanged: !changed && rejected.length + invalid.length + unreadable.length === 0,
    settings: { defaultClass, metallbNamespace: metallb?.namespace, metallbClass: metallb?.loadBalancerClass },
    invalid,
    skipped: manifests.flatMap(({ skipped }) => skipped),
    services: changes,
    pools: describePools(input, changes, announcers),
    rejected,
    unreadable,
    notes: [...input.unknown, ...findClusterNotes(input, changes, announcers)],
  };
}

function isTakenOver(service: ServiceView, { defaultClass }: MigrationInput): boolean {
  return isOurClass(service, defaultClass) && !service.deleting;
}

function describeService(
  service: ServiceView,
  planned: ReadonlyMap<string, Allocation>,
  announcers: Announcers,
  input: MigrationInput,
): ServiceChange {
  const { allocations, metallb } = input;
  const marks = input.marks.get(service.key) ?? noMarks;
  const onInterfaces = input.onInterfaces.get(service.key) ?? [];
  const { assignments = [], reason, unknown } = planned.get(service.key) ?? {};
  const then = assignments.map(({ address }) => formatAddress(address));
  const now = [...service.ingress.flatMap(({ ip }) => (ip === "" ? [] : [canonical(ip)])), ...marks.hostnames];
  const refusal = assignments
    .filter(({ node }) => node === undefined)
    .map(({ address, pool }) => {
      const sharing = allocations.claimAt(address)?.services ?? [serviceNameOf(service.key)];
      return announcers.refusalFor(service, { address, pool, services: sharing });
    })
    .find((found) => found !== undefined);
  const outcome = outcomeOf(service, { now, then, refusal: unknown ? reason : refusal }, input);
  return {
    service: service.key,
    outcome,
    servedBy: findServedBy({
      service,
      marks,
      // What the check itself has planned has no uid.
      claims: allocations.claimsOf(service.key).filter(({ uid }) => uid !== ""),
      hasServiceLbDaemonSet: input.serviceLb.has(service.key),
    }),
    now,
    then,
    pools: [...new Set(assignments.flatMap(({ pool }) => pool ?? []))],
    reason: planned.has(service.key) ? (reason ?? refusal) : classReason(service, outcome),
    lost: outcome === "moves" ? explainLost(allocations, service, then) : [],
    remarks: findRemarks({
      service,
      marks,
      then,
      onNodes: assignments.some(({ node }) => node !== undefined),
      readsMetallb: metallb !== undefined,
      onInterfaces,
    }),
  };
}

function outcomeOf(
  service: ServiceView,
  {
    now,
    then,
    refusal,
  }: { readonly now: readonly string[]; readonly then: readonly string[]; readonly refusal: unknown },
  input: MigrationInput,
): Outcome {
  if (service.deleting || input.leaveClasses.includes(service.loadBalancerClass ?? "")) return "left";
  if (!isTakenOver(service, input)) return now.length === 0 ? "pending" : "unserved";
  if (refusal !== undefined) return "unserved";
  if (then.length === 0) return now.length === 0 ? "pending" : "loses";
  if (now.length === 0) return "gets";
  const shown = new Set(now);
  return shown.size === then.length && then.every((text) => shown.has(text)) ? "keeps" : "moves";
}

/** Why Bellhop ignores the Service. */
function classReason(service: ServiceView, outcome: Outcome): Reason | undefined {
  if (outcome === "left") return undefined;
  const { loadBalancerClass } = service;
  const code = loadBalancerClass === undefined ? "NoDefaultClass" : "ForeignClass";
  return reasonOf(code, {
    object: serviceObject(service),
    field: "spec.loadBalancerClass",
    value: loadBalancerClass ?? "",
  });
}

function canonical(ip: string): string {
  const address = parseAddress(ip);
  return address === undefined ? ip : formatAddress(address);
}
