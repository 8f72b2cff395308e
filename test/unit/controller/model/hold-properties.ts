import assert from "node:assert/strict";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import {
  type Departure,
  familyOf,
  fits,
  type Hold,
  isServed,
  type Model,
  type ModelService,
  mayBeGiven,
  poolOf,
  wasWrittenElsewhere,
} from "./model.ts";

/** The one time for which pools of the model hold, if they do. */
export const holdMs = 240_000;
/** A hold that has expired is looked for each minute, and a write may fail a few times. */
const lateMs = 200_000;

type ShownBy = ReadonlyMap<string, readonly string[]>;

/**
 * The address of a Service that went is kept for its name as long as its pool says: no other Service has it, the next Service of the
 * name gets it, and it is free when that time is over. Returns the addresses that are no longer held.
 */
export function checkHolds(
  model: Model,
  claims: readonly VirtualIP[],
  shownBy: ShownBy,
  nowMs: number,
): ReadonlySet<string> {
  for (const [name, departure] of model.departures) checkDeparture(model, claims, name, departure, nowMs);
  const held = new Map(
    claims.filter(({ spec }) => spec.heldUntil !== undefined).map(({ spec }) => [spec.address, spec]),
  );
  for (const [address, spec] of held) {
    assert.equal(spec.services.length, 1, `${address} is held for one name`);
    const { name = "", uid } = spec.services[0] ?? {};
    assert.equal(uid, undefined, `${address} is held for a name, not for a Service`);
    noteHold(model, address, name, nowMs);
  }
  const ended = new Set<string>();
  for (const [address, hold] of model.holds) {
    if (held.get(address)?.services[0]?.name === hold.name) checkHeld(model, address, hold, shownBy, nowMs);
    else {
      checkEnded(model, address, hold, shownBy, nowMs);
      ended.add(address);
    }
  }
  for (const address of ended) model.holds.delete(address);
  return ended;
}

/** Where nothing else has happened the addresses of a deleted Service are held, or the next of its name has them. */
function checkDeparture(
  model: Model,
  claims: readonly VirtualIP[],
  name: string,
  { shown, shareable, sure, atMs }: Departure,
  nowMs: number,
): void {
  const next = model.services.get(name);
  const othersTouched = [...model.touched.keys()].some((other) => other !== name && model.services.has(other));
  for (const address of shown) {
    const pool = poolOf(model, address);
    const holds = pool !== undefined && pool.holdMs > 0 && !pool.draining && nowMs < atMs + pool.holdMs;
    if (!sure || model.poolsTouched > 0 || !holds || model.lost.has(address) || model.reservations.has(address))
      continue;
    if (next !== undefined && next.type === "LoadBalancer" && (!isServed(model, next) || !takes(model, next, address)))
      continue;
    const names =
      claims.find(({ spec }) => spec.address === address)?.spec.services.map((service) => service.name) ?? [];
    // Another Service, which shared it, had it last and has moved since: only the last one that goes has its address held.
    if (shareable.has(address) && othersTouched) continue;
    // The next one may have come while another Service showed the address.
    if (next !== undefined && wasWrittenElsewhere(model, name, address)) continue;
    // Others that share it still have it.
    if (names.some((other) => other !== name)) continue;
    assert.deepEqual(names, [name], `${address} must be kept for the name ${name}`);
  }
}

function noteHold(model: Model, address: string, name: string, nowMs: number): void {
  const known = model.holds.get(address);
  const departure = model.departures.get(name);
  if (departure === undefined) {
    assert.equal(known?.name, name, `${address} is held for ${name}, which has not gone`);
    return;
  }
  const pool = poolOf(model, address);
  const requested = departure.wanted === address && !departure.shown.includes(address);
  assert.ok(
    model.poolsTouched > 0 || known !== undefined || requested || (pool?.holdMs ?? 0) > 0,
    `no pool says that ${address} is held`,
  );
  const promisedMs = requested ? 0 : departure.atMs + holdMs;
  const earliestMs = Math.min(known?.earliestMs ?? Number.POSITIVE_INFINITY, promisedMs);
  const latestMs = Math.max(known?.latestMs ?? 0, nowMs + holdMs + lateMs + departure.setBackMs);
  model.holds.set(address, { name, earliestMs, latestMs });
}

function checkHeld(model: Model, address: string, hold: Hold, shownBy: ShownBy, nowMs: number): void {
  assert.ok(nowMs <= hold.latestMs, `${address} is held for ${hold.name} beyond its time`);
  const next = model.services.get(hold.name);
  if (next === undefined || !isServed(model, next)) return;
  const shown = shownBy.get(hold.name) ?? [];
  const served = next.families.every((family) => shown.some((other) => familyOf(other) === family));
  assert.ok(!served, `${address} is still held for ${hold.name}, which has all its addresses`);
}

function checkEnded(model: Model, address: string, hold: Hold, shownBy: ShownBy, nowMs: number): void {
  if (model.departures.has(hold.name) || nowMs >= hold.earliestMs) return;
  const next = model.services.get(hold.name);
  assert.ok(next?.type === "LoadBalancer", `${address} was let go before its time though ${hold.name} has not come`);
  // Its class was served for a moment.
  if (!isServed(model, next)) return;
  if ((model.touched.get(hold.name) ?? 0) > 1 || model.poolsTouched > 0 || !takes(model, next, address)) return;
  // It may have come while an invalid VirtualIP still claimed the address, or while another Service showed it.
  if (model.lost.has(address) || wasWrittenElsewhere(model, hold.name, address)) return;
  // One that went while it moved left two.
  const kept = [...model.holds].filter(
    ([other, { name }]) => name === hold.name && familyOf(other) === familyOf(address),
  );
  // Where the user has deleted the VirtualIP of the one that it took, it has that one as before.
  const lost = [...model.lost].filter((other) => familyOf(other) === familyOf(address));
  const back = [...kept.map(([other]) => other), ...lost].some((other) => shownBy.get(hold.name)?.includes(other));
  assert.ok(back, `${hold.name} has come back and must have ${address} again`);
}

/** Whether the Service, when it comes, is to have the address that is held for its name. */
function takes(model: Model, service: ModelService, address: string): boolean {
  const family = familyOf(address);
  const reserved = [...model.reservations].some(([other, name]) => name === service.name && familyOf(other) === family);
  return (
    service.families.includes(family) &&
    !reserved &&
    fits(model, service, address, undefined) &&
    mayBeGiven(model, service, address)
  );
}
