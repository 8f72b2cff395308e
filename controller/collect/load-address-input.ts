import type { IpAddress } from "../../src/ip/address.ts";
import { clusterNetworks } from "../allocate/pool/cluster-network.ts";
import type { AddressInput } from "../explain/address/explain.ts";
import { candidateInputOf } from "../observe/candidate-input.ts";
import { type ReadOptions, readCluster } from "./read-cluster.ts";

/** Reads all that bears on one address. Writes nothing. */
export async function loadAddressInput(options: ReadOptions, address: IpAddress): Promise<AddressInput> {
  const reading = await readCluster(options);
  const { watched, clusterState, live } = reading;
  return {
    address,
    allocations: clusterState.currentAllocations(),
    virtualIps: watched.virtualIps.views,
    candidates: candidateInputOf(watched, clusterState, live),
    services: watched.services.views.values(),
    pools: [...watched.pools.views.values()],
    networks: clusterNetworks(watched.serviceCidrs.views.values(), watched.nodes.views.values()),
  };
}
