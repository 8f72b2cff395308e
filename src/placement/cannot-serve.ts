import type { IpFamily } from "../ip/address.ts";

/** Why an interface of a node cannot serve addresses of a family: the kernel drops every request that arrives there. */
export type CannotServeReason = "ForwardingDisabled" | "ReversePathFilterStrict";

/** A family that an interface cannot serve, and why. */
export interface CannotServe {
  readonly family: IpFamily;
  readonly reason: CannotServeReason;
}
