import { isDeepStrictEqual } from "node:util";
import type { ServiceReference } from "../../src/api/virtual-ip.ts";
import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { externalIpsSource } from "../allocate/allocations/blocked-addresses.ts";
import { ExternalIpCount } from "../allocate/allocations/namespace-limits.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import type { ReadyNodes } from "./ready-nodes.ts";
import { RequestedAddresses } from "./requested-addresses.ts";
import type { Watched } from "./sources.ts";

/** Brings Services and their endpoints into the allocations, and knows which nodes have the endpoints of Services with Local. */
export class ObservedServices {
  readonly #watched: Pick<Watched, "services" | "slices">;
  readonly #allocations: AddressAllocations;
  readonly #readyNodes: ReadyNodes;
  readonly #externalIps: ExternalIpCount;
  /** The addresses in spec.externalIPs that are over the limit of their namespace, by key of the Service. */
  readonly #uncounted = new Map<string, readonly IpAddress[]>();
  /** Which Services request which addresses. */
  readonly requested = new RequestedAddresses();
  /** Keys of Services with externalTrafficPolicy Local. */
  readonly #local = new Set<string>();
  /** The labels that advertisements select Services by, which are those of the views. */
  readonly #labels = new Map<string, ServiceView["labels"]>();

  /** `maxExternalIps`: how many addresses in spec.externalIPs of the Services of one namespace are blocked. */
  constructor(
    watched: Pick<Watched, "services" | "slices">,
    allocations: AddressAllocations,
    readyNodes: ReadyNodes,
    maxExternalIps: number,
  ) {
    this.#watched = watched;
    this.#allocations = allocations;
    this.#readyNodes = readyNodes;
    this.#externalIps = new ExternalIpCount(maxExternalIps);
  }

  /**
   * Brings spec.externalIPs and what the status shows into the allocations. Returns the claims of the Service if it has changed between
   * Cluster and Local, or if its labels have changed.
   */
  observeService(key: string): readonly Claim[] {
    const service = this.#watched.services.views.get(key);
    const external = (service?.externalIPs ?? []).flatMap((text) => parseAddress(text) ?? []);
    for (const [service, { counted, uncounted }] of this.#externalIps.set(key, external)) {
      this.#allocations.block(externalIpsSource(service), counted);
      if (uncounted.length === 0) this.#uncounted.delete(service);
      else this.#uncounted.set(service, uncounted);
    }
    this.#allocations.setSharing(key, service);
    this.requested.set(key, service);
    recordShown(this.#allocations, key, service);
    const local = service?.type === "LoadBalancer" && service.externalTrafficPolicy === "Local";
    const labelsChanged = this.#labelsChanged(key, service?.labels);
    if (local === this.#local.has(key) && !labelsChanged) return [];
    if (local) this.#local.add(key);
    else this.#local.delete(key);
    return this.#allocations.claimsOf(key);
  }

  /** Keys of the Services with more addresses in spec.externalIPs than are kept out of pools for their namespace. */
  get overExternalIpLimit(): Iterable<string> {
    return this.#uncounted.keys();
  }

  isOverExternalIpLimit(key: string): boolean {
    return this.#uncounted.has(key);
  }

  /** Whether the address is in spec.externalIPs of the Service and not kept out of pools. */
  isUncounted(key: string, address: IpAddress): boolean {
    const name = virtualIpName(address);
    return this.#uncounted.get(key)?.some((other) => virtualIpName(other) === name) ?? false;
  }

  /** Why other Services may get addresses in spec.externalIPs of this one. Undefined: they cannot, or no pool contains these. */
  externalIpReason(key: string): Reason | undefined {
    const inPools = (this.#uncounted.get(key) ?? []).filter(
      (address) => this.#allocations.poolOf(address) !== undefined,
    );
    if (inPools.length === 0) return undefined;
    const value = inPools.map(formatAddress).join(", ");
    return reasonOf("ExternalIpLimitReached", { object: serviceObject({ key }), field: "spec.externalIPs", value });
  }

  #labelsChanged(key: string, labels: ServiceView["labels"] | undefined): boolean {
    const before = this.#labels.get(key);
    if (labels === undefined) this.#labels.delete(key);
    else this.#labels.set(key, labels);
    return before !== undefined && labels !== undefined && !isDeepStrictEqual(before, labels);
  }

  /** Returns the Services with externalTrafficPolicy Local whose nodes with endpoints may have changed. */
  observeSlice(key: string): readonly string[] {
    const services = this.#readyNodes.put(key, this.#watched.slices.views.get(key));
    return services.filter((service) => this.#local.has(service));
  }

  /** Nodes whose endpoints take new connections, of those of the Services with externalTrafficPolicy Local. Undefined: all are Cluster. */
  localNodes(services: readonly ServiceReference[]): ReadonlySet<string> | undefined {
    const keys = services.map(serviceKeyOf).filter((key) => this.#local.has(key));
    if (keys.length === 0) return undefined;
    return new Set(keys.flatMap((key) => [...this.#readyNodes.takingConnections(key)]));
  }
}

/** Records which addresses the status of a Service shows, whatever its class and whichever client wrote them. Undefined: it does not exist. */
export function recordShown(allocations: AddressAllocations, key: string, service: ServiceView | undefined): void {
  const ingress = service?.type === "LoadBalancer" ? service.ingress : [];
  const addresses = ingress.flatMap(({ ip }) => parseAddress(ip) ?? []);
  allocations.show(key, { addresses, deleting: service?.deleting ?? false });
}
