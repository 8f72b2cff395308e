import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import type { ReasonCode } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../allocations/address-allocations.ts";
import { describeDraining, describeExhausted, listPoolNames } from "../allocations/describe-pools.ts";
import { describeAdmissionRefusal, type Pool, poolHasFamily } from "../pool/pool.ts";
import { findNodeAddressConflict, findRefusedPort, nodeAddressesFor } from "./node-pool.ts";

/** The Service that needs an address, and what is assigned and free. */
export interface AllocationContext {
  readonly allocations: AllocationsReader;
  readonly service: ServiceView;
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

/** Why a pool assigns no address to a Service. */
export interface PoolRefusal {
  readonly pool: string;
  readonly address?: never;
  readonly code: ReasonCode;
  readonly detail: string | undefined;
}

/** The address that a pool would assign to a Service, or why it assigns none. */
export type PoolResult =
  | { readonly pool: string; readonly address: IpAddress; readonly code?: never; readonly detail?: never }
  | PoolRefusal;

/** Evaluates the pool that the Service names. */
export function evaluateNamedPool(context: AllocationContext, name: string, family: IpFamily): PoolResult {
  const { pools, rejected } = context.allocations;
  const pool = pools.find((candidate) => candidate.name === name);
  if (pool !== undefined) return evaluatePool(context, pool, family);
  const reason = rejected.get(name);
  return reason === undefined
    ? { pool: name, code: "PoolNotFound", detail: listPoolNames(context.allocations) }
    : { pool: name, code: "PoolUnusable", detail: `The reason is ${reason.code}. ${reason.message}` };
}

function evaluatePool(context: AllocationContext, pool: Pool, family: IpFamily): PoolResult {
  const { allocations, service, namespaceLabels } = context;
  const refuse = (code: ReasonCode, detail: string): PoolRefusal => ({ pool: pool.name, code, detail });
  const notAdmitted = describeAdmissionRefusal(pool, service, namespaceLabels);
  if (notAdmitted !== undefined) return refuse("PoolForbidsService", notAdmitted);
  if (pool.nodes !== undefined) return evaluateNodePool(context, pool, family);
  if (!poolHasFamily(pool, family)) return refuse("PoolLacksFamily", `Pool ${pool.name} has no ${family} addresses.`);
  if (pool.draining) return refuse("PoolDraining", describeDraining([pool.name]));
  const address = allocations.firstFree(pool, family);
  if (address === undefined) return refuse("PoolExhausted", describeExhausted([pool.name], family));
  return { pool: pool.name, address };
}

function evaluateNodePool({ allocations, service }: AllocationContext, pool: Pool, family: IpFamily): PoolResult {
  const refuse = (code: ReasonCode, detail: string): PoolRefusal => ({ pool: pool.name, code, detail });
  if (pool.draining) return refuse("PoolDraining", describeDraining([pool.name]));
  const refusedPort = findRefusedPort(pool, service);
  if (refusedPort !== undefined) return refuse(refusedPort.code, refusedPort.detail);
  const nodeAddresses = nodeAddressesFor(allocations, pool, service, family);
  const [first] = nodeAddresses;
  if (first === undefined)
    return refuse("NoNodeAddress", `No node of pool ${pool.name} has an ${family} address for this Service.`);
  const conflict = nodeAddresses
    .map((nodeAddress) => findNodeAddressConflict(allocations, service, nodeAddress))
    .find((found) => found !== undefined);
  return conflict === undefined ? { pool: pool.name, address: first.address } : refuse(conflict.code, conflict.detail);
}

/** Evaluates a pool for a Service that names none. */
export function evaluateAutoAssign(context: AllocationContext, pool: Pool, family: IpFamily): PoolResult {
  if (pool.autoAssign) return evaluatePool(context, pool, family);
  const detail = `Pool ${pool.name} has autoAssign set to false, so it serves only Services that name it.`;
  return { pool: pool.name, code: "PoolNotAutoAssigned", detail };
}

/**
 * Evaluates every pool in the order in which `allocate` tries them for a Service without an address. `allocate` itself stops at the first
 * pool that has one.
 */
export function evaluateAllPools(context: AllocationContext, family: IpFamily): readonly PoolResult[] {
  const { pools, rejected } = context.allocations;
  const results = pools.map((pool) => evaluateAutoAssign(context, pool, family));
  const refusals = [...rejected].map(([pool, { code, message }]) => ({ pool, code, detail: message }));
  return [...results, ...refusals];
}
