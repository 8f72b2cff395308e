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
export interface FlowRule {
  readonly destination: string;
  readonly destinationPort: number;
  /** `address port` of each permitted endpoint; "translated": any, as long as the flow does not end at its destination itself. */
  readonly endpoints: ReadonlySet<string> | "translated";
}

/** Rules by destination, made for one lookup per flow. */
export class FlowRules {
  readonly #ports: ReadonlySet<number>;
  readonly #byDestination: ReadonlyMap<string, FlowRule>;

  constructor(rules: readonly FlowRule[]) {
    this.#ports = new Set(rules.map(({ destinationPort }) => destinationPort));
    this.#byDestination = new Map(rules.map((rule) => [`${rule.destination} ${rule.destinationPort}`, rule]));
  }

  /**
   * Whether a flow is one that a rule does not permit: it was made before our rules, or leads to a pod that is gone. The flow of a UDP client
   * that never pauses would never expire. `flow` is called only if a rule is about its destination port.
   */
  forbids(destinationPort: number, flow: () => Flow): boolean {
    if (!this.#ports.has(destinationPort)) return false;
    const { destination, replySource, replySourcePort } = flow();
    const target = `${destination} ${destinationPort}`;
    const rule = this.#byDestination.get(target);
    if (rule === undefined) return false;
    const endpoint = `${replySource} ${replySourcePort}`;
    return rule.endpoints === "translated" ? endpoint === target : !rule.endpoints.has(endpoint);
  }
}
