import { NameIndex } from "../../../src/index/name-index.ts";
import { type IpAddress, virtualIpName } from "../../../src/ip/address.ts";

/** Which Services show which addresses in their status, whichever client wrote it. */
export class ShownAddresses {
  /** Keys of Services, by name of the VirtualIP that the address has or would have. */
  readonly #keys = new NameIndex();
  readonly #addresses = new Map<string, readonly IpAddress[]>();

  /** Replaces what the Service shows. Returns the addresses that it shows now and did not, and those that no Service shows any longer. */
  set(
    serviceKey: string,
    addresses: readonly IpAddress[],
  ): { readonly shown: readonly IpAddress[]; readonly gone: readonly IpAddress[] } {
    const before = this.#addresses.get(serviceKey) ?? [];
    if (sameAddresses(before, addresses)) return { shown: [], gone: [] };
    if (addresses.length === 0) this.#addresses.delete(serviceKey);
    else this.#addresses.set(serviceKey, addresses);
    for (const address of addresses) this.#keys.add(virtualIpName(address), serviceKey);
    const kept = new Set(addresses.map(virtualIpName));
    const left = before.filter((address) => !kept.has(virtualIpName(address)));
    return { shown: addresses, gone: left.filter((address) => this.#remove(serviceKey, address)) };
  }

  has(address: IpAddress): boolean {
    return this.#keys.has(virtualIpName(address));
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
