import { NameIndex } from "../../src/index/name-index.ts";

/** The VirtualIPs whose address waits until the kernel has its rules, found by address. Each call costs as much as it returns. */
export class WaitingAddresses {
  readonly #addresses = new Map<string, string>();
  readonly #names = new NameIndex();

  /** The VirtualIP waits for the rules of this address; undefined: it does not wait. */
  set(name: string, address: string | undefined): void {
    const before = this.#addresses.get(name);
    if (before === address) return;
    if (before !== undefined) this.#names.delete(before, name);
    if (address === undefined) this.#addresses.delete(name);
    else {
      this.#addresses.set(name, address);
      this.#names.add(address, name);
    }
  }

  /** The VirtualIPs that wait for the rules of the address. */
  namesOf(address: string): Iterable<string> {
    return this.#names.of(address);
  }

  clear(): void {
    for (const name of [...this.#addresses.keys()]) this.set(name, undefined);
  }
}
