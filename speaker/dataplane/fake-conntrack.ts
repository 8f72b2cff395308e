import type { IpFamily } from "../../src/ip/address.ts";
import type { Conntrack } from "./conntrack.ts";
import type { Flow, FlowPattern } from "./flow.ts";

/** Connection tracking in memory. */
export class FakeConntrack implements Conntrack {
  flows: Flow[] = [];
  /** How often the table was listed. */
  listings = 0;

  async list(family: IpFamily): Promise<readonly Flow[]> {
    this.listings += 1;
    return this.flows.filter((flow) => flow.destination.includes(":") === (family === "IPv6"));
  }

  async delete(_family: IpFamily, patterns: readonly FlowPattern[]): Promise<void> {
    const gone = new Set(patterns.map(textOf));
    this.flows = this.flows.filter((flow) => !gone.has(textOf(flow)));
  }
}

function textOf(flow: Flow): string {
  return `${flow.destination} ${flow.destinationPort} ${flow.replySource} ${flow.replySourcePort}`;
}
