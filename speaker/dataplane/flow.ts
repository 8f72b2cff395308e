/** An entry of the connection tracking table, as far as it says where a flow was sent. */
export interface Flow {
  /** Where the client sent it. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Where the answers come from: the pod, or the same as above when nothing was translated. */
  readonly replySource: string;
  readonly replySourcePort: number;
}

/** Where flows to one address and port may be sent. Plain data. */
export interface PortFlowRule {
  readonly destination: string;
  readonly destinationPort: number;
  /** `address port` of each permitted endpoint; "translated": any, as long as the flow does not end at its destination itself. */
  readonly endpoints: ReadonlySet<string> | "translated";
}

/** Which ports of an address flows may go to, wherever they are sent. Plain data. */
export interface AddressFlowRule {
  readonly destination: string;
  readonly servedPorts: ReadonlySet<number>;
}

export type FlowRule = PortFlowRule | AddressFlowRule;

/** Rules by destination, made for one lookup per flow. */
export class FlowRules {
  readonly #ports = new Set<number>();
  readonly #byDestination = new Map<string, PortFlowRule>();
  readonly #byAddress = new Map<string, AddressFlowRule>();

  constructor(rules: readonly FlowRule[]) {
    for (const rule of rules) {
      if ("servedPorts" in rule) {
        this.#byAddress.set(rule.destination, rule);
        continue;
      }
      this.#ports.add(rule.destinationPort);
      this.#byDestination.set(`${rule.destination} ${rule.destinationPort}`, rule);
    }
  }

  /**
   * Whether a flow is one that a rule does not permit: it was made before our rules, leads to a pod that is gone, or goes to a port that is not
   * served. The flow of a UDP client that never pauses would never expire. `flow` is called only if a rule may be about it.
   */
  forbids(destinationPort: number, flow: () => Flow): boolean {
    if (!this.#ports.has(destinationPort) && this.#byAddress.size === 0) return false;
    const { destination, replySource, replySourcePort } = flow();
    const target = `${destination} ${destinationPort}`;
    const rule = this.#byDestination.get(target);
    if (rule === undefined) {
      const address = this.#byAddress.get(destination);
      return address !== undefined && !address.servedPorts.has(destinationPort);
    }
    const endpoint = `${replySource} ${replySourcePort}`;
    return rule.endpoints === "translated" ? endpoint === target : !rule.endpoints.has(endpoint);
  }
}
