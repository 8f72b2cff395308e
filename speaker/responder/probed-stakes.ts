import type { MembershipInputs } from "../membership/inputs.ts";
import { AddressProbes, type ProbeCause } from "./address-probes.ts";
import type { AnnouncedAddresses } from "./announced-addresses.ts";
import type { ResponderReport } from "./commands.ts";
import { probesOf } from "./lan-probe.ts";
import type { Stake } from "./stake.ts";

export interface ProbedStakesOptions {
  readonly membership: Pick<MembershipInputs, "setStake" | "removeStake">;
  readonly announced: Pick<AnnouncedAddresses, "has" | "announce" | "ask">;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly report: (report: ResponderReport) => void;
}

/**
 * The stakes that the main thread has sent. One in an address that another device has, or may have, counts as not armed, so that the membership
 * needs to know nothing of probes.
 */
export class ProbedStakes {
  readonly probes: AddressProbes;
  readonly #options: ProbedStakesOptions;
  readonly #stakes = new Map<string, Stake>();

  constructor(options: ProbedStakesOptions) {
    this.#options = options;
    const { announced, now, report } = options;
    this.probes = new AddressProbes({
      now,
      ask: (stake) => probesOf(stake).every((probe) => announced.ask(probe)),
      used: (address, by) => report({ kind: "addressUsed", address, by }),
      changed: (address) => this.#passOn(address),
    });
  }

  get(address: string): Stake | undefined {
    return this.#stakes.get(address);
  }

  /** See the command `setStake`. */
  set(stake: Stake, cause: ProbeCause | undefined): void {
    const { announced } = this.#options;
    const { address } = stake;
    const isAnnounced = announced.has(address);
    this.#stakes.set(address, stake);
    if (isAnnounced) announced.announce(stake);
    this.probes.setStake(stake, cause, isAnnounced);
    this.#passOn(address);
  }

  remove(address: string): void {
    this.probes.remove(address);
    this.#options.membership.removeStake(address);
    this.#stakes.delete(address);
  }

  #passOn(address: string): void {
    const stake = this.#stakes.get(address);
    if (stake === undefined) return;
    this.#options.membership.setStake(this.probes.allows(address) ? stake : { ...stake, armed: false });
  }
}
