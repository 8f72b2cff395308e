import { compareAddresses, formatAddress, type IpAddress, virtualIpName } from "../../../src/ip/address.ts";
import { type IpRange, rangeContains } from "../../../src/ip/range.ts";
import { describeService, serviceNameOf } from "../../../src/model/service-reference.ts";

/** An address that something other than a VirtualIP uses, and what does. */
export interface BlockedAddress {
  readonly address: IpAddress;
  /** `the address of Node n1`. */
  readonly sources: ReadonlySet<string>;
}

const externalIpsOf = "in spec.externalIPs of ";

/** The source of the addresses that a Service lists in spec.externalIPs. */
export function externalIpsSource(serviceKey: string): string {
  return `${externalIpsOf}Service ${serviceKey}`;
}

const claimOfInvalid = "claimed by VirtualIP ";

/** The source of the addresses that a VirtualIP uses which is not a valid claim. */
export function invalidClaimSource(name: string): string {
  return `${claimOfInvalid}${name}, which is not valid`;
}

/** The source as readers in a namespace see it. */
function describeSource(source: string, readerNamespace: string | undefined): string {
  const key = source.slice(externalIpsSource("").length);
  if (!source.startsWith(externalIpsOf)) return source;
  return `${externalIpsOf}${describeService(serviceNameOf(key), readerNamespace)}`;
}

/** The addresses that nodes, their interfaces, spec.externalIPs and invalid VirtualIPs use, by source. */
export class BlockedAddresses {
  readonly #blocks = new Map<string, { readonly address: IpAddress; readonly sources: Set<string> }>();
  readonly #from = new Map<string, readonly IpAddress[]>();
  /** By address; undefined: to be sorted again. */
  #sorted: readonly BlockedAddress[] | undefined;

  /** Sets the addresses that a source uses. Returns those that are blocked now and were not, and those that no longer are. */
  set(
    source: string,
    addresses: readonly IpAddress[],
  ): { readonly blocked: readonly IpAddress[]; readonly freed: readonly IpAddress[] } {
    const before = this.#from.get(source) ?? [];
    if (sameAddresses(before, addresses)) return { blocked: [], freed: [] };
    const freed = before.filter((address) => this.#remove(source, address));
    const blocked = addresses.filter((address) => this.#add(source, address));
    if (addresses.length === 0) this.#from.delete(source);
    else this.#from.set(source, addresses);
    return { blocked, freed };
  }

  has(address: IpAddress): boolean {
    return this.#blocks.has(virtualIpName(address));
  }

  /**
   * One source, as a sentence. Undefined: the address is not blocked. `ignores`: whether spec.externalIPs of the Service with this key do
   * not count.
   */
  describe(
    address: IpAddress,
    readerNamespace?: string,
    ignores: (serviceKey: string) => boolean = () => false,
  ): string | undefined {
    const sources = [...(this.#blocks.get(virtualIpName(address))?.sources ?? [])].filter(
      (source) => !(source.startsWith(externalIpsOf) && ignores(source.slice(externalIpsSource("").length))),
    );
    // One is enough. In reverse order `the address of Node` comes before `on an interface of Node`, which says less.
    const first = sources.sort().at(-1);
    if (first === undefined) return undefined;
    return `${formatAddress(address)} is ${describeSource(first, readerNamespace)}.`;
  }

  /** Whether a VirtualIP that is not a valid claim uses the address. */
  isInvalidClaim(address: IpAddress): boolean {
    const sources = this.#blocks.get(virtualIpName(address))?.sources ?? [];
    return [...sources].some((source) => source.startsWith(claimOfInvalid));
  }

  /** Sorted by address. */
  all(): readonly BlockedAddress[] {
    this.#sorted ??= [...this.#blocks.values()].sort((left, right) => compareAddresses(left.address, right.address));
    return this.#sorted;
  }

  /** Those in the range, sorted by address. Costs as much as there are, and the logarithm of all, until one is added or removed. */
  within(range: IpRange): readonly BlockedAddress[] {
    const all = this.all();
    const start = { family: range.family, value: range.first };
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAddresses((all[middle] as BlockedAddress).address, start) < 0) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < all.length && rangeContains(range, (all[end] as BlockedAddress).address)) end++;
    return all.slice(low, end);
  }

  #add(source: string, address: IpAddress): boolean {
    const name = virtualIpName(address);
    const block = this.#blocks.get(name) ?? { address, sources: new Set() };
    this.#blocks.set(name, block);
    block.sources.add(source);
    if (block.sources.size === 1) this.#sorted = undefined;
    return block.sources.size === 1;
  }

  #remove(source: string, address: IpAddress): boolean {
    const name = virtualIpName(address);
    const block = this.#blocks.get(name);
    block?.sources.delete(source);
    if (block === undefined || block.sources.size > 0) return false;
    this.#sorted = undefined;
    return this.#blocks.delete(name);
  }
}

function sameAddresses(left: readonly IpAddress[], right: readonly IpAddress[]): boolean {
  return left.length === right.length && left.every((address, index) => address.value === right[index]?.value);
}
