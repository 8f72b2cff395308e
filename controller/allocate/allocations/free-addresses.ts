import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import { IntervalSet } from "../../../src/ip/interval-set.ts";
import { isAvoided, type Pool } from "../pool/pool.ts";

/** How many addresses of one family a pool has. Those that avoidBuggyIPs avoids are not available, but may be in use. */
export interface FamilyCount {
  readonly assigned: bigint;
  readonly available: bigint;
}

/** The free addresses of one pool, updated address by address. Finds the first free one without a scan. */
export class FreeAddresses {
  readonly pool: Pool;
  readonly #free = { IPv4: new IntervalSet(), IPv6: new IntervalSet() };
  readonly #assigned = { IPv4: 0n, IPv6: 0n };
  /** Free addresses that avoidBuggyIPs avoids. */
  #freeBuggy = 0n;

  constructor(pool: Pool) {
    this.pool = pool;
    for (const range of pool.ranges) this.#free[range.family].addRange(range);
    if (!pool.avoidBuggyIPs) return;
    for (const { first, last } of this.#free.IPv4.intervals())
      this.#freeBuggy += countBuggy(last) - countBuggy(first - 1n);
  }

  /** Marks an address of the pool as used. `assigned`: a Service has it. */
  markUsed(address: IpAddress, assigned: boolean): void {
    if (assigned) this.#assigned[address.family]++;
    if (this.#free[address.family].remove(address.value) && this.#isAvoided(address)) this.#freeBuggy--;
  }

  /** Undoes `markUsed`. `assigned` must be the same as it was there. */
  markFree(address: IpAddress, assigned: boolean): void {
    if (assigned) this.#assigned[address.family]--;
    if (this.#free[address.family].has(address.value)) return;
    this.#free[address.family].add(address.value);
    if (this.#isAvoided(address)) this.#freeBuggy++;
  }

  /** The lowest free address that may be assigned. */
  first(family: IpFamily): IpAddress | undefined {
    for (const { first, last } of this.#free[family].intervals()) {
      let value = first;
      // At most two steps: .255, then .0.
      while (this.#isAvoided({ family, value })) value++;
      if (value <= last) return { family, value };
    }
    return undefined;
  }

  count(family: IpFamily): FamilyCount {
    const buggy = family === "IPv4" ? this.#freeBuggy : 0n;
    if (this.pool.draining) return { assigned: this.#assigned[family], available: 0n };
    return { assigned: this.#assigned[family], available: this.#free[family].size - buggy };
  }

  #isAvoided(address: IpAddress): boolean {
    return isAvoided(this.pool, address);
  }
}

/** How many addresses from 0.0.0.0 up to the value end in .0 or .255. */
function countBuggy(value: bigint): bigint {
  if (value < 0n) return 0n;
  const rest = value & 0xffn;
  return (value >> 8n) * 2n + 1n + (rest === 255n ? 1n : 0n);
}
