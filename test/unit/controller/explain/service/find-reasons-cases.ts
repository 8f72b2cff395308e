import { explainService } from "../../../../../controller/explain/service/explain.ts";
import type { ServiceExplanation } from "../../../../../controller/explain/service/explanation.ts";
import { speakerSchema } from "../../../../../src/api/speaker.ts";
import { virtualIpSchema } from "../../../../../src/api/virtual-ip.ts";
import { projectNode } from "../../../../../src/model/node.ts";
import type { RefusalData } from "../../allocate/cases/allocation-case.ts";
import { allocationsOf, type ClusterData, type ServiceData, serviceOf } from "../../allocate/cases/allocation-case.ts";

/** One row: nodes n1 and n2 on 192.0.2.0/24 with live speakers, and why the Service `default/web` is not served. */
export interface FindReasonsCase extends ClusterData {
  readonly name: string;
  readonly service?: ServiceData;
  readonly noDefaultClass?: true;
  readonly noLeader?: true;
  /** Nodes whose speaker is alive; both where the case says nothing else. */
  readonly live?: readonly string[];
  /** The status of VirtualIP 192.0.2.10. */
  readonly announcedBy?: string;
  readonly conflict?: true;
  /** Nodes whose kernel refuses the rules of the Service. */
  readonly refusing?: readonly string[];
  /** Nodes of endpoints, and whether they are ready. */
  readonly endpoints?: Readonly<Record<string, boolean>>;
  /** In the order in which they must be cured. */
  readonly reasons: readonly (RefusalData & { readonly object?: string })[];
}

const mine = [{ address: "192.0.2.10", pool: "lan", services: ["web"] }];
const shown = { shows: ["192.0.2.10"], ours: true } as const;
const served = { claims: mine, service: shown, announcedBy: "n1", endpoints: { n1: true } } as const;
const ingress = "status.loadBalancer.ingress";
const virtualIp = { object: "VirtualIP 192.0.2.10", field: "spec.address", value: "192.0.2.10" } as const;

export const findReasonsCases: readonly FindReasonsCase[] = [
  { name: "a Service that is served", ...served, reasons: [] },
  { name: "served without a leader", ...served, noLeader: true, reasons: [] },
  {
    name: "another type",
    service: { type: "ClusterIP" },
    reasons: [{ code: "NotLoadBalancer", field: "spec.type", value: "ClusterIP" }],
  },
  {
    name: "another class",
    service: { loadBalancerClass: "example.com/x" },
    reasons: [{ code: "ForeignClass", field: "spec.loadBalancerClass", value: "example.com/x" }],
  },
  {
    name: "no class, where Bellhop is not the default",
    noDefaultClass: true,
    reasons: [{ code: "NoDefaultClass", field: "spec.loadBalancerClass", value: "" }],
  },
  {
    name: "being deleted",
    service: { deleting: true },
    reasons: [{ code: "BeingDeleted", field: "metadata.deletionTimestamp", value: "" }],
  },
  {
    name: "refused: the reason is that of the controller",
    service: { loadBalancerIP: "one.two" },
    reasons: [{ code: "RequestedAddressInvalid", field: "spec.loadBalancerIP", value: "one.two" }],
  },
  {
    name: "refused, and no controller at work",
    service: { loadBalancerIP: "one.two" },
    noLeader: true,
    reasons: [
      { code: "RequestedAddressInvalid", field: "spec.loadBalancerIP", value: "one.two" },
      {
        code: "ControllerAbsent",
        object: "Lease bellhop-system/bellhop-controller",
        field: "spec.holderIdentity",
        value: "",
      },
    ],
  },
  {
    name: "not done yet",
    reasons: [{ code: "NotDoneYet", field: ingress, value: "", names: ["192.0.2.10"] }],
  },
  {
    name: "not done yet, and no controller at work",
    noLeader: true,
    reasons: [
      {
        code: "ControllerAbsent",
        object: "Lease bellhop-system/bellhop-controller",
        field: "spec.holderIdentity",
        value: "",
      },
    ],
  },
  {
    name: "an address on the network of no node",
    pools: [{ name: "lan", addresses: ["198.51.100.10"] }],
    claims: [{ address: "198.51.100.10", pool: "lan", services: ["web"] }],
    service: { shows: ["198.51.100.10"], ours: true },
    endpoints: { n1: true },
    reasons: [{ code: "NoAnnouncer", field: ingress, value: "198.51.100.10", names: ["n1, n2"] }],
  },
  {
    name: "no speaker is alive, even if the status of the VirtualIP names one",
    ...served,
    live: [],
    reasons: [{ code: "NoAnnouncer", field: ingress, value: "192.0.2.10", names: ["n1, n2"] }],
  },
  {
    name: "the kernel of every node refuses its rules",
    ...served,
    refusing: ["n1", "n2"],
    reasons: [{ code: "RulesRefused", field: "", value: "n1" }],
  },
  {
    name: "the kernel of a node refuses its rules that does not announce it",
    ...served,
    refusing: ["n2"],
    reasons: [],
  },
  {
    name: "the speaker that announced it is not alive, and another one may",
    ...served,
    live: ["n2"],
    reasons: [{ code: "NotAnnouncedYet", ...virtualIp, names: ["n1, then n2"] }],
  },
  {
    name: "no node announces it yet",
    claims: mine,
    service: shown,
    endpoints: { n1: true },
    reasons: [{ code: "NotAnnouncedYet", ...virtualIp }],
  },
  {
    name: "another device answers for it",
    ...served,
    conflict: true,
    reasons: [{ code: "AddressConflict", ...virtualIp, names: ["02:00:00:00:00:99"] }],
  },
  {
    name: "an interface of a node has it, too",
    ...served,
    blocked: { "on an interface of Node n2": ["192.0.2.10"] },
    reasons: [{ code: "AddressUsedElsewhere", field: ingress, value: "192.0.2.10", names: ["interface of Node n2"] }],
  },
  {
    name: "without endpoints",
    ...served,
    endpoints: {},
    reasons: [{ code: "NoReadyEndpoint", field: "spec.selector", value: "app=web" }],
  },
  {
    name: "with endpoints of which none is ready",
    ...served,
    endpoints: { n1: false, n2: false },
    reasons: [{ code: "NoReadyEndpoint", field: "spec.selector", value: "app=web", names: ["2"] }],
  },
  { name: "under Cluster a ready pod on another node is enough", ...served, endpoints: { n2: true }, reasons: [] },
  {
    name: "under Local it is not",
    ...served,
    service: { ...shown, local: true },
    endpoints: { n2: true },
    reasons: [{ code: "NoLocalEndpoint", field: "spec.externalTrafficPolicy", value: "Local", names: ["n2"] }],
  },
  {
    name: "not announced and without endpoints: both, in the order in which they are cured",
    claims: mine,
    service: shown,
    reasons: [
      { code: "NotAnnouncedYet", ...virtualIp },
      { code: "NoReadyEndpoint", field: "spec.selector", value: "app=web" },
    ],
  },
  {
    name: "addresses of nodes need no announcement",
    pools: [{ name: "edge", spec: { nodeAddresses: {} } }],
    nodes: [{ name: "n1", addresses: ["203.0.113.1"] }],
    claims: [
      {
        address: "203.0.113.1",
        pool: "edge",
        node: "n1",
        services: [
          {
            namespace: "default",
            name: "web",
            uid: "web-uid",
            sharing: { key: "", ports: ["80/TCP"], backends: "" },
          },
        ],
      },
    ],
    service: { shows: ["203.0.113.1"], ours: true },
    endpoints: { n2: true },
    reasons: [],
  },
];

const nodes = ["n1", "n2"];

/** Explains the Service of the case. */
export function explainCase(data: FindReasonsCase): ServiceExplanation {
  const conflict = {
    type: "Conflict",
    status: "True",
    reason: "ForeignMac",
    message: "02:00:00:00:00:99 claims it. Find it.",
  };
  const virtualIps = (data.claims ?? []).map(({ address }) =>
    virtualIpSchema.parse({
      metadata: { name: address },
      spec: { address, owners: nodes },
      status: {
        ...(data.announcedBy === undefined ? {} : { node: data.announcedBy }),
        conditions: data.conflict ? [{ ...conflict, lastTransitionTime: "2026-01-01T00:00:00Z" }] : [],
      },
    }),
  );
  const speakers = nodes.map((name, index) => {
    const eth0 = { name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: [`192.0.2.${index + 1}/24`] };
    const refusedServices = data.refusing?.includes(name) ? ["default/web"] : [];
    const readiness = { bootNonce: "b", families: ["IPv4", "IPv6"], refusedServices };
    return speakerSchema.parse({ metadata: { name }, status: { bootNonce: "b", interfaces: [eth0], readiness } });
  });
  return explainService({
    service: serviceOf(data.service),
    conditions: [],
    selector: { app: "web" },
    namespaceLabels: data.namespaceLabels ?? {},
    defaultClass: data.noDefaultClass === undefined,
    allocations: allocationsOf(data),
    virtualIps: new Map(virtualIps.map((object) => [object.metadata.name, object])),
    slices: [
      {
        key: "default/web-1",
        serviceKey: "default/web",
        family: "IPv4",
        ports: [{ name: "", protocol: "TCP", port: 8080 }],
        endpoints: Object.entries(data.endpoints ?? {}).map(([nodeName, ready], index) => ({
          address: `10.244.0.${index + 1}`,
          nodeName,
          ready,
          serving: ready,
          terminating: false,
        })),
      },
    ],
    candidates: {
      speakers,
      nodes: new Map(nodes.map((name) => [name, projectNode({ metadata: { name } })])),
      live: new Set(data.live ?? nodes),
      advertisements: [],
      poolLabels: new Map(),
      refusedAdvertisements: [],
      serviceLabels: () => undefined,
    },
    speakers: new Map(speakers.map((speaker) => [speaker.metadata.name, speaker])),
    leader: data.noLeader ? undefined : "test",
    namespace: "bellhop-system",
  });
}
