import type { Reason } from "../../../src/model/reason.ts";
import type { LocatedReason } from "../pools/manifest.ts";

/** What would change if Bellhop took over all Services now; plain data, as `-o json` prints it. */
export interface MigrationCheck {
  /** No Service changes, and nothing is rejected or refused. */
  readonly unchanged: boolean;
  /** The settings of the controller that it assumes. */
  readonly settings: {
    readonly defaultClass: boolean;
    readonly metallbNamespace: string | undefined;
    readonly metallbClass: string | undefined;
  };
  /** What is wrong in the files. Such a pool is left out of everything below. */
  readonly invalid: readonly LocatedReason[];
  /** Objects of other kinds in the files. */
  readonly skipped: readonly string[];
  /** Every Service of type LoadBalancer, sorted by name. */
  readonly services: readonly ServiceChange[];
  /** Usable pools, in the order in which they are tried. */
  readonly pools: readonly PoolFacts[];
  /** Why pools and L2Advertisements cannot be used. */
  readonly rejected: readonly Reason[];
  /** Services that cannot be read, so nothing is known of them. */
  readonly unreadable: readonly string[];
  /** What does not concern one Service alone, in whole sentences. */
  readonly notes: readonly string[];
}

/**
 * `keeps`: it has the same addresses afterwards. `moves`: other ones. `gets`: it has none now, and gets one. `loses`: it shows an
 * address, and Bellhop assigns none, so the address no longer answers. `unserved`: Bellhop ignores the Service or leaves it as it is, or no node
 * may announce its address. `pending`: it has no address now or afterwards. `left`: it stays with its load balancer, as the user says, or is being deleted.
 */
export type Outcome = "keeps" | "moves" | "gets" | "loses" | "unserved" | "pending" | "left";

/** The outcomes that change nothing. */
export const harmlessOutcomes: ReadonlySet<Outcome> = new Set(["keeps", "pending", "left"]);

export interface ServiceChange {
  /** `namespace/name`. */
  readonly service: string;
  readonly outcome: Outcome;
  /** Which load balancer serves it now. Undefined: nothing shows one. */
  readonly servedBy: ServedBy | undefined;
  /** What its status shows: addresses, or host names. */
  readonly now: readonly string[];
  /** The addresses that Bellhop would show. */
  readonly then: readonly string[];
  /** The pools of these. */
  readonly pools: readonly string[];
  /** Why it does not get what it requests, or is not served. */
  readonly reason: Reason | undefined;
  /** Why it does not keep addresses that it shows, if it gets others; whole sentences. */
  readonly lost: readonly string[];
  readonly remarks: readonly Remark[];
}

export interface ServedBy {
  readonly name: "Bellhop" | "MetalLB" | "ServiceLB" | "kube-vip" | "another";
  /** By what it was recognised: `annotation kube-vip.io/vipHost`. */
  readonly by: string;
}

/** What is worth knowing about a Service although it decides nothing. Services with the same code are listed together. */
export interface Remark {
  readonly code:
    | "AnnotationNotRead"
    | "ExternalIPsNotAnnounced"
    | "NoNodePorts"
    | "AddressOnInterface"
    | "FinalizerRemains";
  /** A whole sentence without a subject: it follows the name of the Service. */
  readonly text: string;
}

export interface PoolFacts {
  readonly name: string;
  readonly from: "Bellhop" | "MetalLB" | "file";
  /** How many Services would have its addresses. */
  readonly services: number;
  /** The nodes that may announce its first address, or whose own addresses it has. */
  readonly nodes: readonly string[];
  /** Whether the interfaces of nodes are known, because their speakers run. Without them `nodes` follows from labels alone. */
  readonly interfacesKnown: boolean;
}
