import { formatAddress } from "../../src/ip/address.ts";
import type { IngressEntry, ServiceView } from "../../src/model/service.ts";
import type { ShownAddress } from "../allocate/choose/shown-addresses.ts";

/**
 * status.loadBalancer.ingress for these addresses: in their order, with their ipMode (KEP 1860) and every port of the Service, because a
 * list of ports that is used at all must name all of them (KEP 1435).
 */
export function ingressFor(service: ServiceView, addresses: readonly ShownAddress[]): readonly IngressEntry[] {
  const ports = service.ports.map(({ port, protocol }) => ({ port, protocol }));
  return addresses.map(({ address, ipMode }) => ({ ip: formatAddress(address), ipMode, ports }));
}

/**
 * Whether what the status shows means the same to every reader as the other list. The list is atomic, and its order counts. An API server that
 * does not know ipMode (feature LoadBalancerIPMode, optional up to Kubernetes 1.31) drops it, and any other one adds it to each entry with an
 * address. So an entry without it is not out of date.
 */
export function sameIngress(shown: readonly IngressEntry[], other: readonly IngressEntry[]): boolean {
  const comparable = other.map((entry, index) => (shown[index]?.ipMode === "" ? { ...entry, ipMode: "" } : entry));
  return ingressText(shown) === ingressText(comparable);
}

/** Equal for lists that mean the same. */
export function ingressText(ingress: readonly IngressEntry[]): string {
  return JSON.stringify(
    ingress.map(({ ip, ipMode, ports }) => [
      ip,
      ipMode,
      ports.map(({ port, protocol, error }) => [port, protocol, error]),
    ]),
  );
}
