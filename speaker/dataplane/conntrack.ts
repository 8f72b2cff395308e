import type { IpFamily } from "../../src/ip/address.ts";
import type { DeadEndpoints } from "./dead-endpoints.ts";
import type { FlowRule } from "./flow.ts";

/** The interface to the connection tracking table. */
export interface Conntrack {
  /** Deletes every UDP flow that one of the rules does not permit; returns how many. Throws BellhopError. */
  deleteStale(family: IpFamily, rules: readonly FlowRule[]): Promise<number>;
  /** Deletes every UDP flow and TCP connection to one of the endpoints; returns how many. Throws BellhopError. */
  deleteDead(family: IpFamily, dead: DeadEndpoints): Promise<number>;
}
