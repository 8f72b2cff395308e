import { apiGroup, loadBalancerClass } from "../../src/api/api.ts";
import {
  addressReadyCondition,
  balancedNodesAnnotation,
  componentLabel,
  drainAnnotation,
  forwardingAnnotation,
  ipModeAnnotation,
  ipsAnnotation,
  managedByController,
  managedByLabel,
  nodeAnnotation,
  poolAnnotation,
  reassignAnnotation,
  serviceProxyNameLabel,
  settingsAnnotation,
  shareAnnotation,
  shareWithAnnotation,
  speakerComponent,
} from "../../src/api/labels.ts";
import { metallbAnnotations } from "../../src/api/metallb.ts";
import { serviceNameLabel } from "../../src/model/endpoint-slice.ts";
import { excludeLabel } from "../../src/model/node.ts";
import { loadBalancerFinalizer, sourceRangesAnnotation } from "../../src/model/service.ts";
import { zoneLabel } from "../../src/model/usable-endpoints.ts";
import { code, codeList, generatedFrom, table } from "./markdown.ts";

/** Rows of name, value and meaning; cells are Markdown. */
type Rows = readonly (readonly string[])[];

const serviceAnnotations: Rows = [
  [
    code(forwardingAnnotation),
    "`nodeport`, `pods` or `kube-proxy`",
    "[How traffic is delivered](../services.md#how-traffic-reaches-the-pods). Default: `spec.forwarding` of the pool; otherwise `kube-proxy` for a port with a node port, `pods` for any other",
  ],
  [
    code(ipModeAnnotation),
    "`VIP` or `Proxy`",
    "[The `ipMode` of its addresses in the status](../services.md#ipmode-proxy). Default: `spec.ipMode` of the pool; otherwise `VIP`",
  ],
  [code(ipsAnnotation), "addresses, separated by commas", "The requested addresses, at most one of each IP family"],
  [code(poolAnnotation), "name of an IPAddressPool", "The pool to take the addresses from"],
  [code(reassignAnnotation), "any text", "Each new value moves the Service to another address, once"],
  [
    code(shareWithAnnotation),
    "namespaces, separated by commas",
    "Other namespaces whose Services can share the address, if they list this namespace, too",
  ],
  [code(shareAnnotation), "any text", "Services with the same value can share an address"],
  [
    code(sourceRangesAnnotation),
    "CIDRs, separated by commas",
    "The allowed clients, if `spec.loadBalancerSourceRanges` is empty",
  ],
];

const metallb: Rows = [
  ["loadBalancerIPs", ipsAnnotation],
  ["address-pool", poolAnnotation],
  ["allow-shared-ip", shareAnnotation],
].map(([theirs = "", ours = ""]) => [codeList(metallbAnnotations(theirs)), code(ours)]);

const labels: Rows = [
  ["EndpointSlice", code(serviceNameLabel), "name of a Service", "Kubernetes", "The Service of these endpoints"],
  ["Lease", code(componentLabel), code(speakerComponent), "the speaker", "The lease of the speaker on one node"],
  [
    "Lease (an annotation)",
    code(settingsAnnotation),
    "JSON",
    "the controller",
    "On the Lease of the leader: its settings, so that `bellhop explain` answers by them",
  ],
  [
    "Lease (an annotation)",
    code(balancedNodesAnnotation),
    "text",
    "the controller",
    "On the Lease of the leader: a digest of the nodes for which addresses were balanced last, for the next leader",
  ],
  [
    "Node",
    code(excludeLabel),
    "any but `false`",
    "users, Kubernetes",
    "The node announces no addresses, unless the controller runs with `--ignore-exclude-label=true`",
  ],
  [
    "Node",
    code(zoneLabel),
    "name of a zone",
    "Kubernetes",
    "The zone whose topology hints the node follows for traffic that goes straight to pods",
  ],
  [
    "Speaker (an annotation)",
    code(drainAnnotation),
    code("true"),
    "`bellhop drain`, users",
    "Other nodes announce the addresses of this node, as long as there are any that can",
  ],
  [
    "VirtualIP (an annotation)",
    code(nodeAnnotation),
    "name of a Node",
    "`bellhop move`, users",
    "The node that announces the address, as long as it can. Missing: the controller chooses",
  ],
  [
    "Service, EndpointSlice",
    code(serviceProxyNameLabel),
    "any text",
    "users",
    "Another service proxy serves the Service: its endpoints are not watched",
  ],
  [
    "VirtualIP",
    code(managedByLabel),
    code(managedByController),
    "the controller",
    "The controller may delete it. A VirtualIP without this label is a reservation made by a user",
  ],
];

const otherNames: Rows = [
  [
    code(addressReadyCondition),
    "condition of a Service",
    "Whether the Service has its addresses and they are announced. Where it is `False`, its reason is one of [Reasons](reasons.md)",
  ],
  [
    code(loadBalancerClass),
    "`spec.loadBalancerClass` of a Service",
    "Bellhop serves the Service. Without a class it does too, unless the controller runs with `--default-class=false`",
  ],
  [
    code(loadBalancerFinalizer),
    "finalizer of a Service",
    "Keeps a deleted Service until its addresses are released. It is Kubernetes' own finalizer",
  ],
];

/** The whole of docs/reference/annotations.md. A test compares it with the names that the source contains. */
export function annotationsPage(): string {
  return `# Annotations, labels and other names

${generatedFrom("docs/generate/annotations.ts")}

What Bellhop reads and writes besides the fields of its [own kinds](crds.md). Names of its own begin with \`${apiGroup}/\`.

## Annotations of Services

Users write them; Bellhop never does. [What a Service can request](../services.md) explains them.

${table(["Annotation", "Value", "Meaning"], serviceAnnotations)}
## Annotations of MetalLB

They count only with \`--metallb=true\`, and only where the Service does not have the annotation of Bellhop. Of the two spellings, the first
one that the Service has counts. See [Moving from MetalLB](../migrate-from-metallb.md).

${table(["Annotation", "Taken as"], metallb)}
## Labels

${table(["Object", "Label", "Value", "Written by", "Meaning"], labels)}
## Conditions, classes, finalizers

${table(["Name", "Where", "Meaning"], otherNames)}`;
}
