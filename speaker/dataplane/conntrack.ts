import type { IpFamily } from "../../src/ip/address.ts";
import type { FlowRule } from "./flow.ts";

/** The interface to the connection tracking table, for UDP only: TCP connections are never deleted. */
export interface Conntrack {
  /** Deletes every UDP flow that one of the rules does not permit; returns how many. Throws BellhopError. */
  deleteStale(family: IpFamily, rules: readonly FlowRule[]): Promise<number>;
}
