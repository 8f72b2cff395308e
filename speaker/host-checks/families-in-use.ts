import { FamilyIndex } from "../../src/index/family-index.ts";
import { addressOfVirtualIpName, type IpFamily } from "../../src/ip/address.ts";

/** The families of which there are VirtualIPs, kept change by change. */
export class FamiliesInUse {
  readonly #names = new FamilyIndex();

  /** A VirtualIP was added or changed (`exists`), or deleted. Names that are not those of addresses are ignored. */
  put(name: string, exists: boolean): void {
    const family = addressOfVirtualIpName(name)?.family;
    if (family !== undefined) this.#names.put(family, name, exists);
  }

  get current(): ReadonlySet<IpFamily> {
    return this.#names.families;
  }
}
