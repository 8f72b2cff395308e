import type { MembershipStake } from "../../../../speaker/membership/stake.ts";
import type { Claim } from "../../../../src/heartbeat/messages.ts";

export const address = "192.0.2.1";

/** n1 is the first owner of the address, and n2 the second one. */
export const stake: MembershipStake = {
  address,
  family: "IPv4",
  owners: ["n1", "n2"],
  createdSeconds: 1,
  term: 3,
  armed: true,
};

/** By which n2 announces it. */
export const claimOfSecond: Claim = { createdSeconds: 1, term: 3, epoch: 1, rank: 1 };
