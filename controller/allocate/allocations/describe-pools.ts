import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import { formatRange, rangeContains } from "../../../src/ip/range.ts";
import { listSome, maxListed } from "../../../src/model/list-some.ts";
import type { AllocationsReader } from "./address-allocations.ts";

/** The names of the pools, for a Service that names one that does not exist. Undefined: there are none. */
export function listPoolNames({ pools, rejected }: AllocationsReader): string | undefined {
  const names = [...pools.map(({ name }) => name), ...rejected.keys()].sort();
  if (names.length === 0) return undefined;
  return names.length === 1 ? `The only pool is ${names[0]}.` : `The pools are ${listSome(names)}.`;
}

/** Pools that exist but cannot be used, so that users do not create another one. Undefined: none. */
export function listRejectedPools({ rejected }: AllocationsReader): string | undefined {
  if (rejected.size === 0) return undefined;
  const names = [...rejected].map(([name, { code }]) => `${name} (${code})`);
  return names.length === 1 ? `Pool ${names[0]} is rejected.` : `These pools are rejected: ${listSome(names)}.`;
}

/** Why an address is not in any usable pool: one excludes it, or what the pools contain instead. */
export function describeNotInPool(allocations: AllocationsReader, address: IpAddress): string {
  const excluding = allocations.pools.find(({ excluded }) => excluded.some((range) => rangeContains(range, address)));
  if (excluding !== undefined) return `Pool ${excluding.name} excludes it.`;
  const ranges = rangesOf(allocations, address.family);
  return ranges.length === 0
    ? `No usable pool has ${address.family} addresses.`
    : `The usable pools have ${listSome(ranges)}.`;
}

function rangesOf({ pools }: AllocationsReader, family: IpFamily): readonly string[] {
  return pools.flatMap(({ name, ranges }) => {
    const own = ranges.filter((range) => range.family === family).map(formatRange);
    return own.length === 0
      ? []
      : [`${own.slice(0, maxListed).join(", ")}${own.length > maxListed ? ", …" : ""} (${name})`];
  });
}

/** Which pools are draining. */
export function describeDraining(pools: readonly string[]): string {
  return pools.length === 1 ? `Pool ${pools[0]} is draining.` : `Pools ${listSome(pools)} are draining.`;
}

/** Which pools have no free address. */
export function describeExhausted(pools: readonly string[], family: IpFamily): string {
  return `All ${family} addresses of ${pools.length === 1 ? "pool" : "pools"} ${listSome(pools)} are taken.`;
}

/** The details of several refusals, as many as a reader will read. */
export function joinDetails(details: readonly string[]): string {
  const more = details.length - maxListed;
  const rest = more > 0 ? [`${more} more ${more === 1 ? "pool does" : "pools do"} not match either.`] : [];
  return [...details.slice(0, maxListed), ...rest].join(" ");
}
