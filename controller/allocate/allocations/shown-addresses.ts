import { NameIndex } from "../../../src/index/name-index.ts";
import { type IpAddress, virtualIpName } from "../../../src/ip/address.ts";

/** What the status of a Service shows, whichever client wrote it. */
export interface ShownStatus {
  readonly addresses: readonly IpAddress[];
  /** The Service is being deleted, so others may join a claim that no longer names it. */
  readonly deleting: boolean;
}

/** What has changed with the status of one Service. */
export interface ShownChange {
  /** The addresses that it shows now, if these are others than before. */
  readonly shown: readonly IpAddress[];
  /** The addresses that no Service shows any longer. */
  readonly gone: readonly IpAddress[];
  /** The addresses that it showed and that it shows no longer, or only until it is deleted. */
  readonly left: readonly IpAddress[];
}

/** Which Services show which addresses in their status, whichever client wrote it. */
export class ShownAddresses {
  /** Keys of Services, by name of the VirtualIP that the address has or would have. */
  readonly #keys = new NameIndex();
  readonly #addresses = new Map<string, readonly IpAddress[]>();
  /** Keys of Services that are being deleted and still show an address. */
  readonly #deleting = new Set<string>();

  /** Replaces what the Service shows. */
  set(serviceKey: string, { addresses, deleting }: ShownStatus): ShownChange {
    const before = this.#addresses.get(serviceKey) ?? [];
    if (addresses.length === 0) this.#addresses.delete(serviceKey);
    else this.#addresses.set(serviceKey, addresses);
    const leaves = deleting && !this.#deleting.has(serviceKey);
    if (deleting && addresses.length > 0) this.#deleting.add(serviceKey);
    else this.#deleting.delete(serviceKey);
    if (sameAddresses(before, addresses)) return { shown: [], gone: [], left: leaves ? before : [] };
    for (const address of addresses) this.#keys.add(virtualIpName(address), serviceKey);
    const kept = new Set(addresses.map(virtualIpName));
    const dropped = before.filter((address) => !kept.has(virtualIpName(address)));
    const gone = dropped.filter((address) => this.#remove(serviceKey, address));
    return { shown: addresses, gone, left: leaves ? before : dropped };
  }

  has(address: IpAddress): boolean {
    return this.#keys.has(virtualIpName(address));
  }

  /** Whether the Service shows addresses and is being deleted. */
  isDeleting(serviceKey: string): boolean {
    return this.#deleting.has(serviceKey);
  }

  /** Keys of the Services that show the address. */
  of(address: IpAddress): Iterable<string> {
    return this.#keys.of(virtualIpName(address));
  }

  /** Every address that a Service shows. */
  *all(): Iterable<IpAddress> {
    for (const addresses of this.#addresses.values()) yield* addresses;
  }

  /** Returns whether no Service shows the address any longer. */
  #remove(serviceKey: string, address: IpAddress): boolean {
    const name = virtualIpName(address);
    // The status may show it twice.
    if (!this.#keys.has(name)) return false;
    this.#keys.delete(name, serviceKey);
    return !this.#keys.has(name);
  }
}

function sameAddresses(left: readonly IpAddress[], right: readonly IpAddress[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ family, value }, index) => family === right[index]?.family && value === right[index].value)
  );
}
