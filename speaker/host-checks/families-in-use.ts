import { addressOfVirtualIpName, type IpFamily } from "../../src/ip/address.ts";

/** The families of which there are VirtualIPs, kept change by change. */
export class FamiliesInUse {
  readonly #names = { IPv4: new Set<string>(), IPv6: new Set<string>() };

  /** A VirtualIP was added or changed (`exists`), or deleted. Names that are not those of addresses are ignored. */
  put(name: string, exists: boolean): void {
    const family = addressOfVirtualIpName(name)?.family;
    if (family === undefined) return;
    if (exists) this.#names[family].add(name);
    else this.#names[family].delete(name);
  }

  get current(): ReadonlySet<IpFamily> {
    return new Set((["IPv4", "IPv6"] as const).filter((family) => this.#names[family].size > 0));
  }
}
