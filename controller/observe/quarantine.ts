import type { IpAddress } from "../../src/ip/address.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { type Claim, describeQuarantine, isQuarantined } from "../allocate/claim/claim.ts";

/** How many addresses may be quarantined at once. A device that answers for every address must not fill the API server with VirtualIPs. */
export const maxQuarantined = 256;

interface Entry {
  readonly address: IpAddress;
  readonly untilMs: number;
  /** What uses the address, for sentences such as "192.0.2.7 is ...". */
  readonly source: string;
}

/**
 * The addresses that no Service may have for a while, because another device on the LAN had them. Each is a VirtualIP that is held for no
 * Service, so that they survive the controller. This class counts them and blocks them in their pools, with the reason.
 */
export class Quarantine {
  readonly #allocations: Pick<AddressAllocations, "block">;
  /** By name of the VirtualIP. */
  readonly #entries = new Map<string, Entry>();

  constructor(allocations: Pick<AddressAllocations, "block">) {
    this.#allocations = allocations;
  }

  /** Call it for each VirtualIP that was added, modified or deleted. `claim` undefined: it is gone, or not valid. */
  observe(name: string, claim: Claim | undefined): void {
    const before = this.#entries.get(name);
    const after =
      claim === undefined || !isQuarantined(claim)
        ? undefined
        : { address: claim.address, untilMs: claim.heldUntilMs ?? 0, source: describeQuarantine(claim) };
    if (before?.source === after?.source) return;
    if (after === undefined) this.#entries.delete(name);
    else {
      this.#entries.set(name, after);
      this.#allocations.block(after.source, [after.address]);
    }
    if (before !== undefined) this.#allocations.block(before.source, []);
  }

  /** Names of those that end early, because there are too many: the oldest ones. */
  get excess(): readonly string[] {
    const tooMany = this.#entries.size - maxQuarantined;
    if (tooMany <= 0) return [];
    return [...this.#entries]
      .sort(([, left], [, right]) => left.untilMs - right.untilMs)
      .slice(0, tooMany)
      .map(([name]) => name);
  }
}
