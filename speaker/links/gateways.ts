import { addressFromBytes, formatAddress } from "../../src/ip/address.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";

/**
 * The routers of the node's default routes in the main routing table, in both families, sorted. Link-local routers are left out, because no pool
 * can contain them. Pure.
 */
export function readGateways({ routes }: HostNetwork): readonly string[] {
  const texts = routes.flatMap(({ prefixLength, gateway }) =>
    prefixLength === 0 && gateway !== undefined ? [formatAddress(addressFromBytes(gateway))] : [],
  );
  return [...new Set(texts)].filter((text) => !/^fe[89ab]/.test(text)).sort();
}
