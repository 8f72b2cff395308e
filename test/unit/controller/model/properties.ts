import assert from "node:assert/strict";
import type { V1Service } from "@kubernetes/client-node";
import { managedByLabel } from "../../../../src/api/labels.ts";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { reasonTable } from "../../../../src/model/reason-table.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { checkClaims } from "./claim-properties.ts";
import { checkHolds } from "./hold-properties.ts";
import {
  familyOf,
  findFree,
  fits,
  type Given,
  isBlocked,
  isServed,
  type Model,
  type ModelService,
  mayBeGiven,
  mayShare,
  mustLeave,
  otherCondition,
  poolOf,
  usablePools,
} from "./model.ts";
import { checkOwners } from "./owner-properties.ts";
import { checkPools } from "./pool-properties.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";

interface Seen {
  readonly model: Model;
  readonly service: ModelService;
  readonly object: V1Service;
  readonly shown: readonly string[];
  /** What the claims say of the addresses that it shows. */
  readonly given: ReadonlyMap<string, Given>;
  readonly taken: ReadonlySet<string>;
  /** Addresses that were held, which come back also where pools do not auto-assign. */
  readonly returned: ReadonlySet<string>;
  readonly condition: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
}

/** Holds the cluster, which must be quiet, against the model, and notes in the model what is shown now. */
export async function checkProperties(model: Model, clusterState: ReplicatedCluster): Promise<void> {
  const { cluster, clock, hidesNamespaces } = clusterState;
  const [objects, claims] = await Promise.all([cluster.services(), cluster.validVirtualIps()]);
  const names = objects.map(({ metadata }) => metadata?.name ?? "").sort();
  assert.deepEqual(names, [...model.services.keys()].sort(), "Services that were deleted must go, others must not");
  checkClaims(model, objects, claims);
  checkOwners(claims);
  checkShownOnce(model, objects);
  const shownBy = new Map(objects.map((object) => [object.metadata?.name ?? "", shownIn(object)]));
  forgetReplaced(model, shownBy);
  const claimedBy = new Map(
    [...shownBy].map(([name, shown]) => [name, shown.filter((a) => isClaimed(claims, name, a))]),
  );
  const returned = checkHolds(model, claims, claimedBy, clock.monotonicMs());
  const blocked = [...model.invalid.values()].flat();
  const taken = new Set([...claims.map(({ spec }) => spec.address), ...[...shownBy.values()].flat(), ...blocked]);
  for (const object of objects) {
    const service = model.services.get(object.metadata?.name ?? "");
    if (service === undefined) continue;
    const shown = shownIn(object);
    const given = givenTo(service, claims, shown);
    const condition = object.status?.conditions?.find(({ type }) => type === "bellhop.dev/AddressReady");
    const seen: Seen = { returned, model, service, object, shown, given, taken, condition };
    if (isServed(model, service)) checkServed(seen, claims);
    else checkLeftAlone(seen);
    checkForeignCondition(model, object);
    checkForeignFinalizer(model, object, given);
    model.shown.set(service.name, given);
  }
  // Without the labels of their namespace it is not known whether they could have each other's.
  if (!hidesNamespaces || !usablePools(model).some((pool) => pool.unrestrictedOnly)) checkExchanged(model, taken);
  for (const name of [...model.shown.keys()]) if (!model.services.has(name)) model.shown.delete(name);
  await checkPools(model, claims, cluster);
  model.writtenSince.clear();
  for (const [name, addresses] of model.written) model.writtenSince.set(name, new Set(addresses));
  model.touched.clear();
  model.departures.clear();
  model.lost.clear();
  model.poolsTouched = 0;
}

function shownIn({ status }: V1Service): readonly string[] {
  return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");
}

function givenTo(
  service: ModelService,
  claims: readonly VirtualIP[],
  shown: readonly string[],
): ReadonlyMap<string, Given> {
  return new Map(
    shown.map((address) => {
      const claim = claims.find(({ spec }) => spec.address === address);
      const reference = claim?.spec.services.find(({ name }) => name === service.name);
      return [
        address,
        {
          pool: claim?.spec.pool,
          reassigned: reference?.reassigned,
          shared: (claim?.spec.services.length ?? 0) > 1,
          key: reference?.sharing?.key,
          // A hold is for the name.
          claimed: reference !== undefined && claim?.spec.heldUntil === undefined,
        },
      ];
    }),
  );
}

function checkServed(seen: Seen, claims: readonly VirtualIP[]): void {
  const { model, service, object, shown } = seen;
  const who = `Service ${service.name}`;
  const naming = claims.filter(({ spec }) => spec.services.some(({ name }) => name === service.name));
  const ours = naming.filter(
    ({ metadata, spec }) => metadata.labels[managedByLabel] !== undefined && spec.heldUntil === undefined,
  );
  const made = ours.map(({ spec }) => spec.address);
  const claimedFamilies = naming.map(({ spec }) => familyOf(spec.address));
  const undecided = shown.filter((address) => !claimedFamilies.includes(familyOf(address)));
  if (undecided.some((address) => isClaimUnreadable(seen, claims, address))) {
    checkUndecided(seen);
    return;
  }
  if (isWrittenByOthers(seen)) {
    assert.deepEqual(made, [], `${who} must show what is claimed for it`);
    checkServedWell(seen);
    return;
  }
  const unreserved = shown.filter((address) => model.reservations.get(address) !== service.name);
  assert.deepEqual([...unreserved].sort(), made.sort(), `${who} must show what is claimed for it, and no more`);
  const order = service.families.filter((family) => shown.some((address) => familyOf(address) === family));
  assert.deepEqual(shown.map(familyOf), order, `${who} must show one address per family, in their order`);
  const finalizers = object.metadata?.finalizers ?? [];
  // Once written it may stay while the Service waits for an address again.
  if (shown.length > 0) assert.ok(finalizers.includes(loadBalancerFinalizer), `${who} must have the finalizer`);
  checkKept(seen);
  checkGiven(seen);
  checkServedWell(seen);
}

/**
 * No address changes without cause: one that the Service requests stays, and a request that cannot be met takes none away, but
 * from Services that share: they may have to give way to one another.
 */
function checkKept({ model, service, shown }: Seen): void {
  const who = `Service ${service.name}`;
  const touches = model.touched.get(service.name) ?? 0;
  const before = [...(model.shown.get(service.name) ?? [])].filter(([, { claimed }]) => claimed);
  // After several edits the address may have been in another pool for a moment, from where a Service that names its pool must go.
  if (touches === 0 && (service.pool === undefined || model.poolsTouched < 2)) {
    const lost = before.filter(
      ([address, given]) =>
        !shown.includes(address) && fits(model, service, address, given) && !mustLeave(model, service, address, given),
    );
    assert.deepEqual(lost, [], `${who} has lost an address though nobody changed it`);
  }
  if (touches > 1 || service.share !== undefined) return;
  // A Service that came or changed since may have joined before this one stopped sharing.
  const othersTouched = [...model.touched.keys()].some((name) => name !== service.name);
  const mayBeJoined = ({ key }: Given): boolean => key !== undefined && othersTouched;
  // The other load balancer has replaced what the status showed, and it was the only record.
  if (model.visited.has(service.name) && before.some(([address]) => model.lost.has(address))) return;
  const bare = service.families.filter(
    (family) =>
      before.some(([address, given]) => familyOf(address) === family && !given.shared && !mayBeJoined(given)) &&
      !shown.some((address) => familyOf(address) === family),
  );
  assert.deepEqual(bare, [], `${who} has lost an address and got none for it`);
}

/** What is new comes from where the Service may have it; what is old was not called new to satisfy a request to move. */
function checkGiven({ model, service, given, returned }: Seen): void {
  if ((model.touched.get(service.name) ?? 0) > 1 || model.poolsTouched > 0) return;
  for (const [address, { reassigned }] of given) {
    // What it has had of a VirtualIP that the user has deleted it may keep; nothing says any longer what it was assigned for.
    if (model.lost.has(address)) continue;
    const known = model.shown.get(service.name)?.get(address);
    const who = `Service ${service.name}`;
    const returns = known?.claimed !== true && returned.has(address);
    // It was shown already, or written by the other load balancer, and a pool has it.
    if (known?.claimed === false || model.visited.has(service.name)) continue;
    // The other load balancer may have written it into another Service only after that.
    if ([...model.touched.keys()].some((name) => name !== service.name && model.written.get(name)?.includes(address)))
      continue;
    if (known === undefined)
      assert.ok(mayBeGiven(model, service, address, returns), `${who} was given ${address}, not for it`);
    else if (!model.reservations.has(address)) {
      assert.equal(reassigned, known.reassigned, `${who} has ${address} as before, which heeds no wish`);
    }
  }
}

/** A Service that waits has to wait, and says why; one that need not wait is served with what it requested. */
function checkServedWell(seen: Seen): void {
  const { model, service, shown, taken, condition, given } = seen;
  const who = `Service ${service.name} (${condition?.status} ${condition?.reason}: ${condition?.message})`;
  const good = shown.filter(
    (address) => given.get(address)?.claimed === true && fits(model, service, address, given.get(address)),
  );
  const unleft = good.filter((address) => mustLeave(model, service, address, given.get(address)));
  const missing = service.families.filter((family) => !good.some((address) => familyOf(address) === family));
  if (contradictsItself(seen, good)) {
    expectStatus(seen, "False", `${who} requests an address and names another pool`);
    return;
  }
  const wrongFamily = service.wanted !== undefined && !service.families.includes(familyOf(service.wanted));
  if (!wrongFamily && missing.length === 0) {
    for (const address of unleft) {
      const other = findFree(model, service, familyOf(address), taken);
      assert.equal(other, undefined, `${who} asks to leave ${address}`);
    }
  }
  if (missing.length === 0) {
    const well = !wrongFamily && unleft.length === 0;
    expectStatus(seen, well ? "True" : "False", `${who} has all that it can ask for`);
    return;
  }
  const free = missing.map((family) => {
    const keeps = shown.some((address) => familyOf(address) === family);
    return findFree(model, service, family, taken, keeps);
  });
  const asked = service.wanted === undefined ? -1 : missing.indexOf(familyOf(service.wanted));
  const prefers = service.policy === "PreferDualStack";
  const some = asked >= 0 ? free[asked] !== undefined : free.some((address) => address !== undefined);
  const canBeServed = !wrongFamily && (prefers ? some : !free.includes(undefined));
  assert.ok(!canBeServed, `${who} lacks ${missing} though ${free} is free`);
  const enough = prefers && !wrongFamily && asked < 0 && missing.length < service.families.length;
  expectStatus(seen, enough ? "True" : "False", `${who} must say whether it has enough`);
}

/** The condition has the status and a typed reason. Where another load balancer writes, that may be said instead, or nothing. */
function expectStatus(seen: Seen, status: "True" | "False", message: string): void {
  const { model, service, condition } = seen;
  if (condition === undefined && isWrittenByOthers(seen)) return;
  const rewritten = model.visited.has(service.name) || model.emptied.has(service.name);
  if (rewritten && condition?.reason === "StatusOverwritten") return;
  assert.equal(condition?.status, status, message);
  if (status === "False") assert.ok(condition?.reason in reasonTable, `${condition?.reason} is a typed reason`);
}

/** It shows only what the other load balancer has written. */
function isWrittenByOthers({ model, service, shown, given }: Seen): boolean {
  const written = model.written.get(service.name) ?? [];
  return (
    shown.length > 0 && shown.every((address) => written.includes(address) && given.get(address)?.claimed !== true)
  );
}

function isClaimUnreadable({ model, service }: Seen, claims: readonly VirtualIP[], address: string): boolean {
  if (!service.families.includes(familyOf(address))) return false;
  return isBlocked(model, address) && !claims.some(({ spec }) => spec.address === address);
}

/** What it shows may be claimed for it or for another Service: nothing changes until somebody repairs or deletes the claim. */
function checkUndecided(seen: Seen): void {
  const { service, condition } = seen;
  if (condition === undefined && isWrittenByOthers(seen)) return;
  assert.equal(
    condition?.reason,
    "AddressClaimInvalid",
    `Service ${service.name} shows an address of an invalid claim`,
  );
}

function isClaimed(claims: readonly VirtualIP[], name: string, address: string): boolean {
  return claims.some(
    ({ spec }) =>
      spec.address === address &&
      spec.heldUntil === undefined &&
      spec.services.some((reference) => reference.name === name),
  );
}

/** What the other load balancer wrote and the Service no longer shows was replaced, and so was what is ours now. */
function forgetReplaced(model: Model, shownBy: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, addresses] of [...model.written]) {
    const left = addresses.filter((address) => shownBy.get(name)?.includes(address));
    if (left.length === 0) model.written.delete(name);
    else model.written.set(name, left);
  }
}

/** No two Services show one address without sharing it, except where the other load balancer wrote it. */
function checkShownOnce(model: Model, objects: readonly V1Service[]): void {
  const holders = new Map<string, ModelService>();
  for (const object of objects) {
    const service = model.services.get(object.metadata?.name ?? "");
    if (service === undefined) continue;
    for (const address of shownIn(object)) {
      if (model.written.get(service.name)?.includes(address)) continue;
      const other = holders.get(address);
      assert.ok(
        other === undefined || mayShare(other, service),
        `${address} is shown by ${service.name} and ${other?.name}`,
      );
      holders.set(address, service);
    }
  }
}

/** The other load balancer's finalizer stays until Bellhop, whose finalizer has the same name, has served the Service and leaves it. */
function checkForeignFinalizer(model: Model, { metadata }: V1Service, given: ReadonlyMap<string, Given>): void {
  const name = metadata?.name ?? "";
  if ([...given.values()].some(({ claimed }) => claimed)) model.claimed.add(name);
  if (!model.finalized.has(name) || (metadata?.finalizers ?? []).includes(loadBalancerFinalizer)) return;
  // Several changes may have had it served for a moment.
  const changes = [...model.touched.values()].reduce((sum, count) => sum + count, model.poolsTouched + model.lost.size);
  assert.ok(model.claimed.has(name) || changes > 1, `the finalizer of ${name} was not ours to remove`);
  model.finalized.delete(name);
}

/** The other load balancer's condition stays. */
function checkForeignCondition(model: Model, { metadata, status }: V1Service): void {
  if (!model.visited.has(metadata?.name ?? "")) return;
  const types = (status?.conditions ?? []).map(({ type }) => type);
  assert.ok(types.includes(otherCondition), `the other condition of ${metadata?.name} must stay`);
}

/** Whether the Service has the address that it requests, and names another pool than that of the address. */
function contradictsItself({ model, service, given }: Seen, good: readonly string[]): boolean {
  const { wanted, pool } = service;
  if (wanted === undefined || pool === undefined || !good.includes(wanted) || model.reservations.has(wanted))
    return false;
  return (poolOf(model, wanted)?.name ?? given.get(wanted)?.pool) !== pool;
}

/** No two Services wait for each other's addresses, if each could have the other's. */
function checkExchanged(model: Model, taken: ReadonlySet<string>): void {
  const services = [...model.services.values()].filter(
    (service) => isServed(model, service) && mayExchange(model, service, taken),
  );
  const waitsFor = (left: ModelService, right: ModelService): boolean => {
    const given = model.shown.get(right.name)?.get(left.wanted ?? "");
    const mayHave = left.wanted !== undefined && mayBeGiven(model, left, left.wanted);
    return given?.claimed === true && !given.shared && mayHave && left.families.includes(familyOf(left.wanted ?? ""));
  };
  for (const [index, left] of services.entries()) {
    for (const right of services.slice(index + 1)) {
      if (familyOf(left.wanted ?? "") !== familyOf(right.wanted ?? "")) continue;
      const waiting = waitsFor(left, right) && waitsFor(right, left) && left.wanted !== right.wanted;
      assert.ok(!waiting, `${left.name} and ${right.name} wait for each other's addresses`);
    }
  }
}

/** Whether the Service is assigned what it requests once that is free: one that requires a second family is not without that. */
function mayExchange(model: Model, service: ModelService, taken: ReadonlySet<string>): boolean {
  const shown = [...(model.shown.get(service.name) ?? [])];
  // What it shows may belong to an invalid VirtualIP, and then nothing about it changes.
  if (shown.some(([, { claimed }]) => !claimed)) return false;
  if (service.policy !== "RequireDualStack") return true;
  return service.families.every(
    (family) =>
      service.wanted === undefined ||
      family === familyOf(service.wanted) ||
      shown.some(([address, given]) => familyOf(address) === family && fits(model, service, address, given)) ||
      findFree(model, service, family, taken, true) !== undefined,
  );
}

/** Neither address nor finalizer nor condition of ours on a Service that is not ours, or no longer. */
function checkLeftAlone(seen: Seen): void {
  const { model, service, object, shown, given, condition } = seen;
  const who = `Service ${service.name}`;
  const finalizers = object.metadata?.finalizers ?? [];
  assert.equal(condition, undefined, `${who} must not have our condition`);
  // A user may reserve what the other load balancer has assigned.
  const unclaimed = [...given].every(
    ([address, { claimed }]) => !claimed || model.reservations.get(address) === service.name,
  );
  assert.ok(unclaimed, `no address may be claimed for ${who}`);
  if (service.class === "theirs" && service.type === "LoadBalancer") {
    assert.deepEqual(shown, model.written.get(service.name) ?? [], `${who} shows what its own controller wrote`);
    const theirs = model.finalized.has(service.name) ? [loadBalancerFinalizer] : [];
    assert.deepEqual(finalizers, theirs, `${who} has the finalizer of its own controller`);
    return;
  }
  // Of addresses of both, none is removed: the other load balancer may serve them all.
  if (!model.written.has(service.name)) assert.deepEqual(shown, [], `${who} must show no address`);
  // The other load balancer has replaced what we assigned, so it may rely on our finalizer, too, which is left to it.
  const leftToOther = model.written.has(service.name) && model.claimed.has(service.name) && finalizers.length > 0;
  if (leftToOther) model.finalized.add(service.name);
  if (!model.finalized.has(service.name)) assert.deepEqual(finalizers, [], `${who} must not have our finalizer`);
}
