import { type IpAddress, virtualIpName } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { parseRequest } from "../allocate/claim/request.ts";

/** Which Services request which addresses. */
export class RequestedAddresses {
  /** Keys of Services, by name of the VirtualIP that the address has or would have. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #names = new Map<string, readonly string[]>();

  /** Replaces what the Service requests. Undefined: it does not exist. */
  set(serviceKey: string, service: ServiceView | undefined): void {
    const requested = service?.type === "LoadBalancer" ? parseRequest(service).requested : undefined;
    const names = [...(requested?.values() ?? [])].map(({ address }) => virtualIpName(address));
    for (const name of this.#names.get(serviceKey) ?? []) {
      const keys = this.#keys.get(name);
      keys?.delete(serviceKey);
      if (keys?.size === 0) this.#keys.delete(name);
    }
    this.#names.delete(serviceKey);
    if (names.length === 0) return;
    this.#names.set(serviceKey, names);
    for (const name of names) {
      const keys = this.#keys.get(name) ?? new Set();
      this.#keys.set(name, keys.add(serviceKey));
    }
  }

  /** Keys of the Services that request the address. */
  of(address: IpAddress): Iterable<string> {
    return this.#keys.get(virtualIpName(address)) ?? [];
  }
}
