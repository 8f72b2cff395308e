import assert from "node:assert/strict";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import type { Cluster } from "../fake-cluster/cluster.ts";
import { type Family, familyOf, type Model, type ModelPool, usablePools } from "./model.ts";

/** The status of each pool of ours counts what the model counts, and says whether the pool is usable. */
export async function checkPools(model: Model, claims: readonly VirtualIP[], cluster: Cluster): Promise<void> {
  const usable = usablePools(model);
  const shown = [...model.shown.values()].flatMap((addresses) => [...addresses]);
  // That these are the ones that Services show, `checkServed` says; while a claim is invalid, a Service may not show all that it has.
  const assigned = new Set(
    claims.flatMap(({ spec }) => (spec.heldUntil === undefined && spec.services.length > 0 ? [spec.address] : [])),
  );
  for (const [address, name] of model.reservations) if (name !== undefined) assigned.add(address);
  const blocked = [...model.invalid.values()].flat();
  const unclaimed = shown.map(([address]) => address);
  const taken = new Set([...assigned, ...unclaimed, ...blocked, ...model.reservations.keys(), ...model.holds.keys()]);
  for (const pool of model.pools.values()) {
    const serves = usable.includes(pool);
    const { status } = await cluster.pool(pool.name);
    const counted = {
      assignedIPv4: status?.assignedIPv4,
      availableIPv4: status?.availableIPv4,
      assignedIPv6: status?.assignedIPv6,
      availableIPv6: status?.availableIPv6,
    };
    const count = (family: Family): readonly [string, string] =>
      serves ? countOf(pool, family, assigned, taken) : ["0", "0"];
    const [assignedIPv4, availableIPv4] = count("IPv4");
    const [assignedIPv6, availableIPv6] = count("IPv6");
    assert.deepEqual(
      counted,
      { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 },
      `counts of pool ${pool.name}`,
    );
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const reason = reasonOf(pool, serves);
    assert.equal(
      `${ready?.status} ${ready?.reason}`,
      `${reason === "InUse" || reason === "Draining" ? "True" : "False"} ${reason}`,
      `pool ${pool.name}`,
    );
  }
}

function reasonOf({ addresses, draining }: ModelPool, serves: boolean): string {
  if (addresses.length === 0) return "PoolAllExcluded";
  if (!serves) return "PoolOverlaps";
  return draining ? "Draining" : "InUse";
}

function countOf(
  pool: ModelPool,
  family: Family,
  assigned: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): readonly [string, string] {
  const addresses = pool.addresses.filter((address) => familyOf(address) === family);
  const free = pool.draining ? [] : addresses.filter((address) => !taken.has(address));
  return [String(addresses.filter((address) => assigned.has(address)).length), String(free.length)];
}
