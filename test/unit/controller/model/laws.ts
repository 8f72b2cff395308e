import assert from "node:assert/strict";
import type { V1Service } from "@kubernetes/client-node";
import type { VirtualIP } from "../../../../src/config/virtual-ip.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import type { Cluster } from "../cluster.ts";
import { familyOf, findFree, fits, isServed, type Model, type ModelService, mayShare } from "./model.ts";

interface Seen {
  readonly model: Model;
  readonly service: ModelService;
  readonly object: V1Service;
  readonly shown: readonly string[];
  /** By address that is claimed: the pool that it came from. */
  readonly origins: ReadonlyMap<string, string | undefined>;
  readonly taken: ReadonlySet<string>;
  readonly condition: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
}

/** Holds the cluster, which must be quiet, against the model, and notes in the model what is shown now. */
export async function checkLaws(model: Model, cluster: Cluster): Promise<void> {
  const [objects, claims] = await Promise.all([cluster.services(), cluster.virtualIps()]);
  const names = objects.map(({ metadata }) => metadata?.name ?? "").sort();
  assert.deepEqual(names, [...model.services.keys()].sort(), "Services that were deleted must go, others must not");
  checkClaims(model, objects, claims);
  const origins = new Map(claims.map(({ spec }) => [spec.address, spec.pool]));
  const taken = new Set(origins.keys());
  for (const object of objects) {
    const service = model.services.get(object.metadata?.name ?? "");
    if (service === undefined) continue;
    const shown = (object.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");
    const condition = object.status?.conditions?.find(({ type }) => type === "bellhop.dev/AddressReady");
    const seen: Seen = { model, service, object, shown, origins, taken, condition };
    if (isServed(service)) checkServed(seen, claims);
    else checkLeftAlone(seen);
    model.shown.set(service.name, new Map(shown.map((address) => [address, origins.get(address)])));
  }
  for (const name of [...model.shown.keys()]) if (!model.services.has(name)) model.shown.delete(name);
  model.touched.clear();
}

/** No address in two unrelated Services, no claim without its Service. */
function checkClaims(model: Model, objects: readonly V1Service[], claims: readonly VirtualIP[]): void {
  for (const { spec } of claims) {
    assert.notEqual(spec.services.length, 0, `${spec.address} is claimed for nobody`);
    const holders = spec.services.map(({ name, uid }) => {
      const object = objects.find(({ metadata }) => metadata?.name === name);
      assert.equal(object?.metadata?.uid, uid, `${spec.address} is claimed for a ${name} that is no more`);
      const service = model.services.get(name);
      assert.ok(
        service !== undefined && isServed(service),
        `${spec.address} is claimed for ${name}, which is not ours`,
      );
      return service;
    });
    for (const [index, left] of holders.entries()) {
      for (const right of holders.slice(index + 1)) {
        assert.ok(mayShare(left, right), `${left.name} and ${right.name} both have ${spec.address}`);
      }
    }
  }
}

function checkServed(seen: Seen, claims: readonly VirtualIP[]): void {
  const { service, object, shown } = seen;
  const who = `Service ${service.name}`;
  const held = claims.filter(({ spec }) => spec.services.some(({ name }) => name === service.name));
  const heldAddresses = held.map(({ spec }) => spec.address);
  assert.deepEqual([...shown].sort(), heldAddresses.sort(), `${who} must show what is claimed for it, and no more`);
  const order = service.families.filter((family) => shown.some((address) => familyOf(address) === family));
  assert.deepEqual(shown.map(familyOf), order, `${who} must show one address per family, in their order`);
  const finalizers = object.metadata?.finalizers ?? [];
  // Once written it may stay while the Service waits for an address again.
  if (shown.length > 0) assert.ok(finalizers.includes(loadBalancerFinalizer), `${who} must have the finalizer`);
  checkKept(seen);
  checkServedWell(seen);
}

/** No address changes without cause: one that is what the Service asks for stays. */
function checkKept({ model, service, shown }: Seen): void {
  if (model.touched.has(service.name)) return;
  const before = [...(model.shown.get(service.name) ?? [])];
  const lost = before.filter(([address, pool]) => !shown.includes(address) && fits(model, service, address, pool));
  assert.deepEqual(lost, [], `Service ${service.name} has lost an address though nobody changed it`);
}

/** Whoever waits has to wait, and is told why; whoever need not wait is served with what it asked for. */
function checkServedWell({ model, service, shown, taken, condition, origins }: Seen): void {
  const who = `Service ${service.name} (${condition?.status} ${condition?.reason}: ${condition?.message})`;
  const missing = service.families.filter(
    (family) => !shown.some((a) => familyOf(a) === family && fits(model, service, a, origins.get(a))),
  );
  const wrongFamily = service.wanted !== undefined && !service.families.includes(familyOf(service.wanted));
  if (missing.length === 0) {
    assert.equal(condition?.status, wrongFamily ? "False" : "True", `${who} has all that it can ask for`);
    return;
  }
  const free = missing.map((family) => findFree(model, service, family, taken));
  const asked = service.wanted === undefined ? -1 : missing.indexOf(familyOf(service.wanted));
  const prefers = service.policy === "PreferDualStack";
  const some = asked >= 0 ? free[asked] !== undefined : free.some((address) => address !== undefined);
  const canBeServed = !wrongFamily && (prefers ? some : !free.includes(undefined));
  assert.ok(!canBeServed, `${who} lacks ${missing} though ${free} is free`);
  const enough = prefers && !wrongFamily && asked < 0 && missing.length < service.families.length;
  assert.equal(condition?.status, enough ? "True" : "False", `${who} must say whether it has enough`);
}

/** Neither address nor finalizer nor condition of ours on a Service that is not ours, or no longer. */
function checkLeftAlone({ service, object, shown, condition }: Seen): void {
  const who = `Service ${service.name}`;
  assert.deepEqual(shown, [], `${who} must show no address`);
  assert.equal(condition, undefined, `${who} must not bear our condition`);
  assert.deepEqual(object.metadata?.finalizers ?? [], [], `${who} must not be held by our finalizer`);
}
