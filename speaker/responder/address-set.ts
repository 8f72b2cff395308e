/** A set of IPv4 and IPv6 addresses given as bytes, made for one lookup per received packet. */
export class AddressSet {
  readonly #ipv4 = new Map<number, Uint8Array>();
  readonly #ipv6 = new Map<string, Uint8Array>();

  add(address: Uint8Array): void {
    const copy = Uint8Array.from(address);
    if (address.length === 4) this.#ipv4.set(key4(address), copy);
    else this.#ipv6.set(key6(address), copy);
  }

  delete(address: Uint8Array): boolean {
    return address.length === 4 ? this.#ipv4.delete(key4(address)) : this.#ipv6.delete(key6(address));
  }

  has(address: Uint8Array): boolean {
    return address.length === 4 ? this.#ipv4.has(key4(address)) : this.#ipv6.has(key6(address));
  }

  /** How many addresses of this length in bytes it has. */
  count(addressLength: number): number {
    return addressLength === 4 ? this.#ipv4.size : this.#ipv6.size;
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    yield* this.#ipv4.values();
    yield* this.#ipv6.values();
  }
}

function key4(address: Uint8Array): number {
  return (((address[0] ?? 0) << 24) | ((address[1] ?? 0) << 16) | ((address[2] ?? 0) << 8) | (address[3] ?? 0)) >>> 0;
}

function key6(address: Uint8Array): string {
  return String.fromCharCode(...address);
}
