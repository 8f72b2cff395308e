import type { IpFamily } from "../../../src/ip/address.ts";
import { type ReasonCode, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import { describeDraining, describeExhausted, joinDetails, listRejectedPools } from "../allocations/describe-pools.ts";
import { type AddressChoice, newAssignment } from "./allocation.ts";
import { type AllocationContext, evaluateAutoAssign, evaluateNamedPool, type PoolRefusal } from "./evaluate-pool.ts";

/** A free address of the pool that the annotation names. */
export function chooseFromNamed(
  context: AllocationContext,
  family: IpFamily,
  { field, text: poolName }: { readonly field: string; readonly text: string },
): AddressChoice {
  const { pool, address, code, detail } = evaluateNamedPool(context, poolName, family);
  if (address !== undefined) return { assignment: newAssignment(address, pool) };
  return { reason: reasonOf(code, { object: serviceObject(context.service), field, value: poolName, detail }) };
}

/** A free address of the first pool that has one for the Service. */
export function chooseFromAny(context: AllocationContext, family: IpFamily): AddressChoice {
  const { allocations, service } = context;
  const refuse = (code: ReasonCode, detail?: string): AddressChoice => ({
    reason: reasonOf(code, { object: serviceObject(service), field: "spec.ipFamilies", value: family, detail }),
  });
  if (allocations.pools.length === 0) return refuse("NoPool", listRejectedPools(allocations));
  const refusals: PoolRefusal[] = [];
  for (const pool of allocations.pools) {
    const result = evaluateAutoAssign(context, pool, family);
    if (result.address === undefined) refusals.push(result);
    else if (pool.nodes === undefined) return { assignment: newAssignment(result.address, pool.name) };
    else {
      const detail = `Pool ${pool.name} assigns node addresses, and only to Services without other addresses.`;
      refusals.push({ pool: pool.name, code: "NoPoolForService", detail });
    }
  }
  const full = refusals.filter(({ code }) => code === "PoolExhausted");
  const draining = refusals.filter(({ code }) => code === "PoolDraining");
  if (full.length === 0 && draining.length > 0) {
    return refuse("PoolDraining", describeDraining(draining.map(({ pool }) => pool)));
  }
  if (full.length === 0) {
    return refuse("NoPoolForService", joinDetails(refusals.flatMap(({ detail }) => detail ?? [])));
  }
  return refuse(
    "PoolExhausted",
    describeExhausted(
      full.map(({ pool }) => pool),
      family,
    ),
  );
}
