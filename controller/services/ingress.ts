import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { IngressEntry, ServiceView } from "../../src/model/service.ts";

/**
 * status.loadBalancer.ingress for these addresses: in their order, with ipMode VIP (KEP 1860) and every port of the Service, because a
 * list of ports that is used at all must name all of them (KEP 1435).
 */
export function ingressFor(service: ServiceView, addresses: readonly IpAddress[]): readonly IngressEntry[] {
  const ports = service.ports.map(({ port, protocol }) => ({ port, protocol }));
  return addresses.map((address) => ({ ip: formatAddress(address), ipMode: "VIP", ports }));
}

/** Whether both mean the same to every reader. The list is atomic, and its order counts. */
export function sameIngress(left: readonly IngressEntry[], right: readonly IngressEntry[]): boolean {
  return ingressText(left) === ingressText(right);
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
