import assert from "node:assert/strict";
import type { V1Service } from "@kubernetes/client-node";
import { managedByLabel } from "../../../../src/api/labels.ts";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { isServed, type Model, type ModelService, mayShare } from "./model.ts";

/** No address in two unrelated Services, no claim without its Service, and the user's own VirtualIPs as the user made them. */
export function checkClaims(model: Model, objects: readonly V1Service[], claims: readonly VirtualIP[]): void {
  const byHand = claims.filter(({ metadata }) => metadata.labels[managedByLabel] === undefined);
  const present = byHand.map(({ spec }) => [spec.address, spec.services.map(({ name }) => name)] as const);
  const wanted = [...model.reservations].map(([address, name]) => [address, name === undefined ? [] : [name]] as const);
  assert.deepEqual(
    Object.fromEntries(present),
    Object.fromEntries(wanted),
    "reservations of the user are the user's to change",
  );
  for (const { spec, metadata } of claims) {
    if (metadata.labels[managedByLabel] !== undefined && spec.heldUntil === undefined)
      checkHolders(model, objects, spec);
  }
}

function checkHolders(model: Model, objects: readonly V1Service[], spec: VirtualIP["spec"]): void {
  assert.notEqual(spec.services.length, 0, `${spec.address} is claimed for nobody`);
  const holders: ModelService[] = spec.services.map(({ name, uid }) => {
    const object = objects.find(({ metadata }) => metadata?.name === name);
    assert.equal(object?.metadata?.uid, uid, `${spec.address} is claimed for a ${name} that is no more`);
    const service = model.services.get(name);
    assert.ok(
      service !== undefined && isServed(model, service),
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
