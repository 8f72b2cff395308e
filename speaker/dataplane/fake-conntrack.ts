import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
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
}
