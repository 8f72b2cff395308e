import { ipFamilies } from "../../../src/ip/address.ts";
import { serviceNameOf } from "../../../src/model/service-reference.ts";
import type { Pool } from "../../allocate/pool/pool.ts";
import type { Announcers } from "./announcers.ts";
import type { PoolFacts, ServiceChange } from "./migration-check.ts";
import type { MigrationInput } from "./migration-input.ts";

/** What Bellhop makes of each usable pool. */
export function describePools(
  { allocations, pools, manifests }: MigrationInput,
  changes: readonly ServiceChange[],
  announcers: Announcers,
): readonly PoolFacts[] {
  const planned = new Set(manifests.flatMap((manifest) => manifest.pools.map(({ metadata }) => metadata.name)));
  const byPool = new Map<string, string[]>();
  for (const { service, pools: own } of changes) {
    for (const pool of own) {
      const known = byPool.get(pool);
      if (known === undefined) byPool.set(pool, [service]);
      else known.push(service);
    }
  }
  return allocations.pools.map((pool) => {
    const raw = pools.get(pool.name);
    const services = byPool.get(pool.name) ?? [];
    const metallb = raw !== undefined && "metallbNamespace" in raw;
    return {
      name: pool.name,
      from: planned.has(pool.name) ? "file" : metallb ? "MetalLB" : "Bellhop",
      services: services.length,
      nodes: nodesOf(pool, services, allocations, announcers),
      interfacesKnown: pool.nodes !== undefined || announcers.interfacesKnown,
    };
  });
}

function nodesOf(
  pool: Pool,
  services: readonly string[],
  { nodes }: MigrationInput["allocations"],
  announcers: Announcers,
): readonly string[] {
  if (pool.nodes !== undefined) {
    const own = ipFamilies.flatMap((family) => nodes.of(pool, family).map(({ node }) => node));
    return [...new Set(own)].sort();
  }
  const found = pool.ranges.flatMap(({ family, first }) =>
    announcers.nodesFor({
      address: { family, value: first },
      pool: pool.name,
      services: services.map(serviceNameOf),
    }),
  );
  return [...new Set(found)].sort();
}
