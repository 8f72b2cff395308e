import type { Clock } from "../../src/clock/clock.ts";
import type { IpAddress } from "../../src/ip/address.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import type { Claim } from "../allocate/claim/claim.ts";

/** For at least this long, pools do not assign an address that another device had. It is probed again for the next Service that gets it. */
const quarantineMs = 10 * 60_000;

/**
 * Keeps addresses out of pools whose claim was given up because another device on the LAN had them. In memory alone: a controller that starts
 * assigns such an address again, and the probe of the speaker finds the device again.
 */
export class Quarantine {
  readonly #allocations: Pick<AddressAllocations, "block">;
  readonly #clock: Clock;
  /** Claims whose address another device has, by name of the VirtualIP. */
  readonly #used = new Map<string, IpAddress>();
  /** Since when an address has been kept out of pools, in monotonic ms. */
  readonly #sinceMs = new Map<string, number>();

  constructor(allocations: Pick<AddressAllocations, "block">, clock: Clock) {
    this.#allocations = allocations;
    this.#clock = clock;
  }

  /** Call it for each VirtualIP that was added, modified or deleted. `claim` undefined: it is gone, or not valid. */
  observe(name: string, claim: Claim | undefined): void {
    if (claim?.usedBefore === true) {
      this.#used.set(name, claim.address);
      return;
    }
    const address = this.#used.get(name);
    this.#used.delete(name);
    if (claim !== undefined || address === undefined) return;
    this.#sinceMs.set(name, this.#clock.monotonicMs());
    this.#allocations.block(sourceOf(name), [address]);
  }

  /** Ends those that have lasted long enough. */
  endAll(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [name, sinceMs] of this.#sinceMs) {
      if (nowMs - sinceMs < quarantineMs) continue;
      this.#sinceMs.delete(name);
      this.#allocations.block(sourceOf(name), []);
    }
  }
}

/** What else uses the address, for sentences such as "192.0.2.7 is ...". */
function sourceOf(name: string): string {
  return `used by another device on the LAN, which was found when VirtualIP ${name} was to be announced`;
}
