import { type IpFamily, ipFamilies } from "../ip/address.ts";

/** Keys by IP family, kept change by change; a key may be in both. */
export class FamilyIndex {
  readonly #keys: Readonly<Record<IpFamily, Set<string>>> = { IPv4: new Set(), IPv6: new Set() };

  /** Adds the key to the family (`present`), or removes it. */
  put(family: IpFamily, key: string, present: boolean): void {
    if (present) this.#keys[family].add(key);
    else this.#keys[family].delete(key);
  }

  /** Whether the family has any key. */
  has(family: IpFamily): boolean {
    return this.#keys[family].size > 0;
  }

  /** The families that have any key. */
  get families(): ReadonlySet<IpFamily> {
    return new Set(ipFamilies.filter((family) => this.has(family)));
  }
}
