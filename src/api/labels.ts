/** Names that Bellhop reads or writes: of annotations, labels, conditions and its Leases. */

/** On a Service: the pool to take addresses from. */
export const poolAnnotation = "bellhop.dev/pool";
/** On a Service: the addresses it wants, at most one per family, joined by commas. */
export const ipsAnnotation = "bellhop.dev/ips";
/** On a Service: Services with the same text here may have one address together. */
export const shareAnnotation = "bellhop.dev/share";
/** On a Service: other namespaces whose Services may share its address, joined by commas. */
export const shareWithAnnotation = "bellhop.dev/share-with";
/** On a Service: how its traffic is delivered. */
export const forwardingAnnotation = "bellhop.dev/forwarding";
/** On a Service: asks once for another address, and again whenever the text is another. */
export const reassignAnnotation = "bellhop.dev/reassign";

/** The annotations of Services that Bellhop reads. */
export const serviceAnnotations: ReadonlySet<string> = new Set([
  poolAnnotation,
  ipsAnnotation,
  shareAnnotation,
  shareWithAnnotation,
  forwardingAnnotation,
  reassignAnnotation,
]);

/** On a VirtualIP: the controller made it and may remove it. Those without it are reservations of the user. */
export const managedByLabel = "app.kubernetes.io/managed-by";
export const managedByController = "bellhop-controller";

/** On Leases of ours: which part of Bellhop renews it. */
export const componentLabel = "bellhop.dev/component";
export const speakerComponent = "speaker";

/** The Lease, in Bellhop's own namespace, whose holder is the one controller that acts. */
export const leaderLeaseName = "bellhop-controller";

/** The condition on a Service that tells whether its address is there and announced, and why not. */
export const addressReadyCondition = "bellhop.dev/AddressReady";

/** The condition on a VirtualIP that says that another station on the LAN claims the address. */
export const conflictCondition = "Conflict";
