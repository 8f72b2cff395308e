import type { IpAddress, IpFamily } from "./address.ts";
import type { IpRange } from "./range.ts";

interface Part<Value> {
  readonly first: bigint;
  readonly last: bigint;
  readonly value: Value;
}

/**
 * Maps addresses to values by disjoint ranges. Looking up an address is logarithmic in the number of ranges. So is adding a range, apart
 * from moving the entries behind it in an array.
 */
export class RangeMap<Value> {
  /** In ascending order. */
  readonly #parts: Readonly<Record<IpFamily, Part<Value>[]>> = { IPv4: [], IPv6: [] };

  /** Sets the value for the addresses of the range that have none yet. */
  fill(range: IpRange, value: Value): void {
    const parts = this.#parts[range.family];
    for (const { family, first, last } of this.gapsIn(range)) {
      parts.splice(this.#indexFrom(family, first), 0, { first, last, value });
    }
  }

  /** The parts of the range whose addresses have no value, in ascending order. */
  gapsIn({ family, first, last }: IpRange): readonly IpRange[] {
    const parts = this.#parts[family];
    const gaps: IpRange[] = [];
    let start = first;
    for (let index = this.#indexFrom(family, first); start <= last; index++) {
      const next = parts[index];
      const end = next === undefined || next.first > last ? last : next.first - 1n;
      if (start <= end) gaps.push({ family, first: start, last: end });
      if (next === undefined || next.first > last) break;
      start = next.last + 1n;
    }
    return gaps;
  }

  /** The value of the lowest address of the range that has one; undefined: none has. */
  firstIn({ family, first, last }: IpRange): Value | undefined {
    const part = this.#parts[family][this.#indexFrom(family, first)];
    return part === undefined || part.first > last ? undefined : part.value;
  }

  at({ family, value }: IpAddress): Value | undefined {
    return this.firstIn({ family, first: value, last: value });
  }

  /** Index of the first part that ends at or above the value. */
  #indexFrom(family: IpFamily, value: bigint): number {
    const parts = this.#parts[family];
    let low = 0;
    let high = parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((parts[middle] as Part<Value>).last < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
