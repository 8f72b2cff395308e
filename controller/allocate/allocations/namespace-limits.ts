import { type IpAddress, virtualIpName } from "../../../src/ip/address.ts";
import { serviceNameOf } from "../../../src/model/service-reference.ts";

/** Which of the addresses that a Service lists count: they are kept out of pools. The others are over the limit. */
export interface CountedAddresses {
  readonly counted: readonly IpAddress[];
  readonly uncounted: readonly IpAddress[];
}

interface Listed extends CountedAddresses {
  readonly wanted: readonly IpAddress[];
}

/** The addresses in spec.externalIPs of one namespace that count. */
interface NamespaceList {
  readonly services: Map<string, Listed>;
  /** How many Services list an address, by the name that its VirtualIP has. */
  readonly uses: Map<string, number>;
  /** Keys of the Services that list more than counts. */
  readonly waiting: Set<string>;
}

/** Counts the addresses in spec.externalIPs by namespace, first come, first served. A change costs as much as the Service lists. */
export class ExternalIpCount {
  readonly #limit: number;
  readonly #namespaces = new Map<string, NamespaceList>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Sets what a Service lists. Returns, for each Service for which that has changed, which of its addresses count. */
  set(serviceKey: string, wanted: readonly IpAddress[]): ReadonlyMap<string, CountedAddresses> {
    const { namespace } = serviceNameOf(serviceKey);
    const list = this.#namespaces.get(namespace) ?? { services: new Map(), uses: new Map(), waiting: new Set() };
    this.#namespaces.set(namespace, list);
    for (const address of list.services.get(serviceKey)?.counted ?? []) drop(list, address);
    list.services.delete(serviceKey);
    list.waiting.delete(serviceKey);
    const changed = new Map([[serviceKey, this.#count(list, serviceKey, wanted)]]);
    for (const key of list.waiting) {
      if (list.uses.size >= this.#limit) break;
      const service = list.services.get(key);
      if (service === undefined || key === serviceKey) continue;
      for (const address of service.counted) drop(list, address);
      changed.set(key, this.#count(list, key, service.wanted));
    }
    if (list.services.size === 0) this.#namespaces.delete(namespace);
    return changed;
  }

  #count(list: NamespaceList, key: string, wanted: readonly IpAddress[]): CountedAddresses {
    const counted: IpAddress[] = [];
    const uncounted: IpAddress[] = [];
    for (const address of wanted) {
      const name = virtualIpName(address);
      const uses = list.uses.get(name);
      if (uses === undefined && list.uses.size >= this.#limit) {
        uncounted.push(address);
        continue;
      }
      list.uses.set(name, (uses ?? 0) + 1);
      counted.push(address);
    }
    if (wanted.length > 0) list.services.set(key, { wanted, counted, uncounted });
    if (uncounted.length > 0) list.waiting.add(key);
    else list.waiting.delete(key);
    return { counted, uncounted };
  }
}

function drop({ uses }: NamespaceList, address: IpAddress): void {
  const name = virtualIpName(address);
  const left = (uses.get(name) ?? 1) - 1;
  if (left === 0) uses.delete(name);
  else uses.set(name, left);
}
