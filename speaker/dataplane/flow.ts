/** An entry of the connection tracking table, as far as it says where a flow was sent. */
export interface Flow {
  /** Where the client sent it. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Where the answers come from: the pod, or the same as above when nothing was translated. */
  readonly replySource: string;
  readonly replySourcePort: number;
}

/** Matches all flows, of any client, that are the same in these four fields. */
export type FlowPattern = Flow;

const flowLine =
  /\bsrc=\S+ dst=(\S+) sport=\d+ dport=(\d+) (?:packets=\d+ bytes=\d+ )?(?:\[UNREPLIED\] )?src=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/** Reads what `conntrack -L -p udp` prints; lines of another form are left out. */
export function parseFlows(listing: string): readonly Flow[] {
  return listing.split("\n").flatMap((line) => {
    const [, destination, destinationPort, replySource, replySourcePort] = flowLine.exec(line) ?? [];
    if (destination === undefined || replySource === undefined) return [];
    return [
      {
        destination,
        destinationPort: Number(destinationPort),
        replySource,
        replySourcePort: Number(replySourcePort),
      },
    ];
  });
}

/** Where flows to one address and port may be sent. */
export interface FlowRule {
  readonly destination: string;
  readonly destinationPort: number;
  /** `address port` of each permitted endpoint; "translated": any, as long as the flow does not end at its destination itself. */
  readonly endpoints: ReadonlySet<string> | "translated";
}

/**
 * The flows that a rule does not permit, each kind once: they were made before our rules, or lead to a pod that is gone. The flow of a
 * UDP client that never pauses would never expire.
 */
export function staleFlows(flows: readonly Flow[], rules: readonly FlowRule[]): readonly FlowPattern[] {
  const byDestination = new Map(rules.map((rule) => [`${rule.destination} ${rule.destinationPort}`, rule]));
  const stale = new Map<string, FlowPattern>();
  for (const flow of flows) {
    const destination = `${flow.destination} ${flow.destinationPort}`;
    const rule = byDestination.get(destination);
    if (rule === undefined) continue;
    const endpoint = `${flow.replySource} ${flow.replySourcePort}`;
    const permitted = rule.endpoints === "translated" ? endpoint !== destination : rule.endpoints.has(endpoint);
    if (!permitted) stale.set(`${destination} ${endpoint}`, flow);
  }
  return [...stale.values()];
}
