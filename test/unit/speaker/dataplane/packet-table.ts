import type { Endpoint } from "../../../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../../../src/model/service.ts";
import { endpoint } from "./fake-node.ts";

/** One Service with one port on a node whose kube-proxy knows it: every combination of these is a row of the table. */
export interface Row {
  /** The annotation; undefined: none. */
  readonly requested: "pods" | "kube-proxy" | "nodeport" | undefined;
  readonly nodePort: 0 | 30080;
  readonly policy: ServiceView["externalTrafficPolicy"];
  readonly affinity: boolean;
  readonly family: "IPv4" | "IPv6";
  readonly protocol: "TCP" | "UDP";
  readonly endpoints: EndpointCase;
  readonly ranges: RangeCase;
  /** Whether kube-proxy may not have the Service yet. */
  readonly late: boolean;
}

type State = "ready" | "serving" | "gone";
/** Endpoints as `node state`; their addresses end in 2, 3 … in this order. */
const endpointCases = {
  none: [],
  here: ["n1 ready"],
  there: ["n2 ready"],
  "here and there": ["n1 ready", "n2 ready"],
  "terminating here": ["n1 serving"],
  "terminating here, ready there": ["n1 serving", "n2 ready"],
  "not ready": ["n1 gone", "n2 gone"],
} as const satisfies Readonly<Record<string, readonly `${"n1" | "n2"} ${State}`[]>>;
type EndpointCase = keyof typeof endpointCases;

const rangeCases = {
  none: [],
  admit: ["192.0.2.0/25", "2001:db8::/64"],
  exclude: ["198.51.100.0/24", "2001:db8:1::/48"],
};
type RangeCase = keyof typeof rangeCases;

interface PlacedEndpoint {
  readonly address: string;
  readonly node: string;
  readonly state: State;
}

function placedEndpoints({ endpoints, family }: Row): readonly PlacedEndpoint[] {
  return endpointCases[endpoints].map((text, index) => {
    const [node = "", state] = text.split(" ") as [string, State];
    return { address: family === "IPv4" ? `10.244.1.${index + 2}` : `fd01::${index + 2}`, node, state };
  });
}

export function endpointsOf(row: Row): readonly Endpoint[] {
  return placedEndpoints(row).map(({ address, node, state }) =>
    endpoint(address, node, {
      ready: state === "ready",
      serving: state !== "gone",
      terminating: state === "serving",
    }),
  );
}

export function sourceRangesOf({ ranges }: Row): readonly string[] {
  return rangeCases[ranges];
}

/** All rows with this request, node port and policy. */
export function rowsOf(fixed: Pick<Row, "requested" | "nodePort" | "policy">): readonly Row[] {
  const rows: Row[] = [];
  for (const affinity of [false, true])
    for (const family of ["IPv4", "IPv6"] as const)
      for (const protocol of ["TCP", "UDP"] as const)
        for (const endpoints of Object.keys(endpointCases) as EndpointCase[])
          for (const ranges of Object.keys(rangeCases) as RangeCase[])
            for (const late of [false, true])
              rows.push({ ...fixed, affinity, family, protocol, endpoints, ranges, late });
  return rows;
}

/** The kinds of packets that the table is about. All come for the address of the Service, and all but one from the LAN. */
export const packetKinds = ["new", "unknown", "other port", "from a pod", "ping"] as const;
export type PacketKind = (typeof packetKinds)[number];

/** Where a packet may end. `pod …`: at one of these, `behind the node` where the pod sees the node as the client. */
export type Ending =
  | "kube-proxy"
  | "node port"
  | "refused"
  | "dropped"
  | "reset"
  | "answered by the node"
  | `pod ${string}`;

/**
 * Where packets must end, from the documents: docs/services.md, and kube-proxy's rules for endpoints (pkg/proxy/topology.go). Knows nothing of sets
 * and chains.
 */
export function expectedEndings(row: Row, kind: PacketKind): readonly Ending[] {
  // The ranges hold for clients in the cluster, too, and admit none of these.
  if (kind === "from a pod") return [row.ranges === "none" ? "kube-proxy" : "dropped"];
  if (kind === "ping") return ["answered by the node"];
  if (kind === "other port") return ["dropped"];
  const served = takesConnections(placedEndpoints(row)).length > 0;
  // Source ranges hold for new connections, and what the node does not know of is one for it.
  if (row.ranges === "exclude") return ["dropped"];
  // What belongs to an open connection may still be answered by its pod.
  const opens = kind === "new" || row.protocol === "UDP";
  if (!served && row.requested !== "kube-proxy" && opens) return ["refused"];
  switch (wayOf(row)) {
    case "kube-proxy":
      return ["kube-proxy"];
    case "node port":
      return ["node port"];
    case "pods":
      return podEndings(row, opens);
  }
}

function wayOf({ requested, nodePort, affinity, late }: Row): "kube-proxy" | "node port" | "pods" {
  if (requested === "kube-proxy" || requested === "pods") return requested;
  if (nodePort === 0) return "pods";
  if (requested === "nodeport") return "node port";
  return late && !affinity ? "pods" : "kube-proxy";
}

/** Ready ones; where there is none, those that terminate and still serve. */
function takesConnections(endpoints: readonly PlacedEndpoint[]): readonly PlacedEndpoint[] {
  const ready = endpoints.filter(({ state }) => state === "ready");
  return ready.length > 0 ? ready : endpoints.filter(({ state }) => state === "serving");
}

function podEndings(row: Row, opens: boolean): readonly Ending[] {
  const { policy, requested, nodePort } = row;
  const all = placedEndpoints(row);
  const usable = takesConnections(policy === "Local" ? all.filter(({ node }) => node === "n1") : all);
  // Under Local kube-proxy drops what only another node could deliver.
  if (usable.length === 0) return ["kube-proxy"];
  if (!opens) return ["reset"];
  // In place of kube-proxy, the pod sees what kube-proxy would show it.
  const inItsPlace = requested === undefined && nodePort !== 0 && policy === "Cluster";
  return usable.map(
    ({ address, node }) => `pod ${address}${node !== "n1" || inItsPlace ? " behind the node" : ""}` as const,
  );
}
