import assert from "node:assert/strict";
import type { V1Service } from "@kubernetes/client-node";
import { managedByLabel } from "../../../../src/api/labels.ts";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { checkClaims } from "./claim-properties.ts";
import { checkHolds } from "./hold-properties.ts";
import {
  familyOf,
  findFree,
  fits,
  type Given,
  isServed,
  type Model,
  type ModelService,
  mayBeGiven,
  mustLeave,
  poolOf,
} from "./model.ts";
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
export async function checkProperties(model: Model, { cluster, clock }: ReplicatedCluster): Promise<void> {
  const [objects, claims] = await Promise.all([cluster.services(), cluster.virtualIps()]);
  const names = objects.map(({ metadata }) => metadata?.name ?? "").sort();
  assert.deepEqual(names, [...model.services.keys()].sort(), "Services that were deleted must go, others must not");
  checkClaims(model, objects, claims);
  const shownBy = new Map(objects.map((object) => [object.metadata?.name ?? "", shownIn(object)]));
  const returned = checkHolds(model, claims, shownBy, clock.monotonicMs());
  const taken = new Set(claims.map(({ spec }) => spec.address));
  for (const object of objects) {
    const service = model.services.get(object.metadata?.name ?? "");
    if (service === undefined) continue;
    const shown = shownIn(object);
    const given = givenTo(service, claims, shown);
    const condition = object.status?.conditions?.find(({ type }) => type === "bellhop.dev/AddressReady");
    const seen: Seen = { returned, model, service, object, shown, given, taken, condition };
    if (isServed(service)) checkServed(seen, claims);
    else checkLeftAlone(seen);
    model.shown.set(service.name, given);
  }
  checkExchanged(model);
  for (const name of [...model.shown.keys()]) if (!model.services.has(name)) model.shown.delete(name);
  await checkPools(model, cluster);
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
  const before = [...(model.shown.get(service.name) ?? [])];
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
    if (known === undefined && returned.has(address)) continue;
    if (known === undefined) assert.ok(mayBeGiven(model, service, address), `${who} was given ${address}, not for it`);
    else if (!model.reservations.has(address)) {
      assert.equal(reassigned, known.reassigned, `${who} has ${address} as before, which heeds no wish`);
    }
  }
}

/** A Service that waits has to wait, and says why; one that need not wait is served with what it requested. */
function checkServedWell(seen: Seen): void {
  const { model, service, shown, taken, condition, given } = seen;
  const who = `Service ${service.name} (${condition?.status} ${condition?.reason}: ${condition?.message})`;
  const good = shown.filter((address) => fits(model, service, address, given.get(address)));
  const unleft = good.filter((address) => mustLeave(model, service, address, given.get(address)));
  const missing = service.families.filter((family) => !good.some((address) => familyOf(address) === family));
  if (contradictsItself(seen, good)) {
    assert.equal(condition?.status, "False", `${who} requests an address and names another pool`);
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
    assert.equal(condition?.status, well ? "True" : "False", `${who} has all that it can ask for`);
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
  assert.equal(condition?.status, enough ? "True" : "False", `${who} must say whether it has enough`);
}

/** Whether the Service has the address that it requests, and names another pool than that of the address. */
function contradictsItself({ model, service, given }: Seen, good: readonly string[]): boolean {
  const { wanted, pool } = service;
  if (wanted === undefined || pool === undefined || !good.includes(wanted) || model.reservations.has(wanted))
    return false;
  return (poolOf(model, wanted)?.name ?? given.get(wanted)?.pool) !== pool;
}

/** No two Services wait for each other's addresses, if each could have the other's. */
function checkExchanged(model: Model): void {
  const services = [...model.services.values()].filter(isServed);
  const waitsFor = (left: ModelService, right: ModelService): boolean => {
    const given = model.shown.get(right.name)?.get(left.wanted ?? "");
    const mayHave = left.wanted !== undefined && mayBeGiven(model, left, left.wanted);
    return given !== undefined && !given.shared && mayHave && left.families.includes(familyOf(left.wanted ?? ""));
  };
  for (const [index, left] of services.entries()) {
    for (const right of services.slice(index + 1)) {
      if (familyOf(left.wanted ?? "") !== familyOf(right.wanted ?? "")) continue;
      const waiting = waitsFor(left, right) && waitsFor(right, left) && left.wanted !== right.wanted;
      assert.ok(!waiting, `${left.name} and ${right.name} wait for each other's addresses`);
    }
  }
}

/** Neither address nor finalizer nor condition of ours on a Service that is not ours, or no longer. */
function checkLeftAlone({ service, object, shown, condition }: Seen): void {
  const who = `Service ${service.name}`;
  assert.deepEqual(shown, [], `${who} must show no address`);
  assert.equal(condition, undefined, `${who} must not bear our condition`);
  assert.deepEqual(object.metadata?.finalizers ?? [], [], `${who} must not be held by our finalizer`);
}
