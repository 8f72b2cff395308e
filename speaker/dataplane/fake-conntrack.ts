import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
import type { DeadEndpoints } from "./dead-endpoints.ts";
import { type Flow, type FlowRule, FlowRules } from "./flow.ts";

/** Connection tracking in memory. */
export class FakeConntrack implements Conntrack {
  flows: Flow[] = [];
  /** How often the table was searched. */
  searches = 0;

  async deleteStale(family: IpFamily, rules: readonly FlowRule[]): Promise<number> {
    this.searches += 1;
    const compiled = new FlowRules(rules);
    const before = this.flows.length;
    this.flows = this.flows.filter(
      (flow) =>
        flow.destination.includes(":") !== (family === "IPv6") || !compiled.forbids(flow.destinationPort, () => flow),
    );
    return before - this.flows.length;
  }

  async deleteDead(family: IpFamily, { destinations, endpoints }: DeadEndpoints): Promise<number> {
    this.searches += 1;
    const before = this.flows.length;
    this.flows = this.flows.filter(
      ({ destination, replySource }) =>
        destination.includes(":") !== (family === "IPv6") ||
        !destinations.has(destination) ||
        !endpoints.has(replySource),
    );
    return before - this.flows.length;
  }
}
