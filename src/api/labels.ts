/** Names of the annotations, labels, conditions and Leases that Bellhop reads or writes. */

/** On a Service: requests addresses of this pool. */
export const poolAnnotation = "bellhop.dev/pool";
/** On a Service: requests these addresses, at most one per family, separated by commas. */
export const ipsAnnotation = "bellhop.dev/ips";
/** On a Service: a key; Services with the same key may share an address. */
export const shareAnnotation = "bellhop.dev/share";
/** On a Service: other namespaces whose Services may share its address, separated by commas. */
export const shareWithAnnotation = "bellhop.dev/share-with";
/** On a Service: how its traffic is forwarded. */
export const forwardingAnnotation = "bellhop.dev/forwarding";
/** On a Service: the ipMode of its addresses in the status. */
export const ipModeAnnotation = "bellhop.dev/ip-mode";
/** On a Service: requests another address, once for each value. */
export const reassignAnnotation = "bellhop.dev/reassign";

/** What the names of Bellhop's own annotations begin with. */
export const annotationPrefix = "bellhop.dev/";

/** The annotations of Services that Bellhop reads. */
export const serviceAnnotations: ReadonlySet<string> = new Set([
  poolAnnotation,
  ipsAnnotation,
  shareAnnotation,
  shareWithAnnotation,
  forwardingAnnotation,
  ipModeAnnotation,
  reassignAnnotation,
]);

/** On a Speaker: its node is drained of addresses, if the value is "true". */
export const drainAnnotation = "bellhop.dev/drain";
/** On a VirtualIP: the node that announces the address as long as it can. */
export const nodeAnnotation = "bellhop.dev/node";

/** On a VirtualIP: the controller created it and may delete it. VirtualIPs without it are reservations of the user. */
export const managedByLabel = "app.kubernetes.io/managed-by";
export const managedByController = "bellhop-controller";

/**
 * The name of the controller in metadata.managedFields: the first part of its user agent (apiserver, pkg/endpoints/handlers/create.go,
 * managerOrUserAgent).
 */
export const controllerFieldManager = "bellhop-controller";

/** On Bellhop's own Leases: which component renews it. */
export const componentLabel = "bellhop.dev/component";
export const speakerComponent = "speaker";

/** The Lease, in Bellhop's own namespace, whose holder is the one controller that acts. */
export const leaderLeaseName = "bellhop-controller";

/** On that Lease: the settings of its holder that `bellhop explain` needs (src/settings/published-settings.ts). */
export const settingsAnnotation = "bellhop.dev/settings";

/** On the Lease of the controllers: a digest of the nodes over which addresses were balanced last. */
export const balancedNodesAnnotation = "bellhop.dev/balanced-nodes";

/** On a Service that another service proxy serves, and on its slices (pkg/proxy/apis/well_known_labels.go). */
export const serviceProxyNameLabel = "service.kubernetes.io/service-proxy-name";

/** The condition on a Service that says whether it has its address and the address is announced, and if not, why. */
export const addressReadyCondition = "bellhop.dev/AddressReady";

/** The condition on a VirtualIP that says whether another device on the LAN uses the address. */
export const conflictCondition = "Conflict";
/** Its reason while another device has an address that is not announced for that reason. */
export const addressInUseReason = "AddressInUse";

/**
 * The condition on a VirtualIP that says whether the kernel of the announcing node has the rules of its Services, and on a Speaker, whether
 * those of both families can be written.
 */
export const rulesWrittenCondition = "RulesWritten";
