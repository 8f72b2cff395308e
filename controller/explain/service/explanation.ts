import type { IpFamily } from "../../../src/ip/address.ts";
import type { Forwarding } from "../../../src/model/forwarding.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { NodeResult } from "../../owners/evaluate-nodes.ts";

/** Everything about one Service; plain data, as `-o json` prints it. */
export interface ServiceExplanation {
  /** `namespace/name`. */
  readonly service: string;
  /** Whether every address that the Service must have is announced and leads to a ready pod. */
  readonly served: boolean;
  /** The addresses that it has. */
  readonly addresses: readonly string[];
  /** Why it is not served, in the order in which it must be cured. */
  readonly reasons: readonly Reason[];
  /** Settings of the Service that cannot be read; none of them prevents an address. */
  readonly warnings: readonly Reason[];
  /** What is worth knowing even if the Service is served. */
  readonly remarks: readonly string[];
  readonly request: RequestPart;
  readonly class: ClassPart;
  readonly families: readonly FamilyPart[];
  readonly ports: readonly PortPart[];
  readonly endpoints: readonly NodeEndpoints[];
  readonly conditions: readonly ConditionPart[];
}

/** What the user has requested. */
export interface RequestPart {
  readonly ipFamilies: readonly IpFamily[];
  readonly ipFamilyPolicy: string;
  readonly externalTrafficPolicy: string;
  /** Field and text of everything that requests an address or a pool, or says how to forward. */
  readonly requests: readonly { readonly field: string; readonly text: string }[];
}

export interface ClassPart {
  /** Undefined: none. */
  readonly name: string | undefined;
  readonly matches: boolean;
  readonly reason: string;
}

/** One family of the Service: which addresses it has, or what each pool would assign. */
export interface FamilyPart {
  readonly family: IpFamily;
  /** At most one, unless they are nodes' own addresses. */
  readonly addresses: readonly AddressPart[];
  /** The requested address. Undefined: any will do. */
  readonly requested: string | undefined;
  /** In the order in which they are tried. Empty if it has an address or requests one. */
  readonly pools: readonly PoolPart[];
}

export interface PoolPart {
  readonly pool: string;
  /** The address that it would assign. */
  readonly address: string | undefined;
  /** Code of the refusal. */
  readonly code: string | undefined;
  readonly reason: string;
}

/** An address with its claim, and who announces it. */
export interface AddressPart {
  readonly address: string;
  readonly pool: string | undefined;
  /** How traffic reaches the pods of a Service without the annotation, and the object that sets it. Undefined: none does. */
  readonly forwarding: { readonly mode: Forwarding; readonly from: string } | undefined;
  /** The node whose own address it is, which answers for it without an announcer. Undefined: it must be announced. */
  readonly node: string | undefined;
  /** Name of its VirtualIP. Undefined: not created yet. */
  readonly virtualIp: string | undefined;
  /** `namespace/name` of the Services that have it. */
  readonly services: readonly string[];
  readonly owners: readonly string[];
  /** The node that the user has pinned it to. Undefined: none. */
  readonly pinnedTo: string | undefined;
  readonly announcedBy: string | undefined;
  readonly interfaces: readonly string[];
  readonly mac: string | undefined;
  readonly since: string | undefined;
  /** Why that node began to announce it, as a word. */
  readonly cause: string | undefined;
  readonly nodes: readonly NodeResult[];
  readonly conditions: readonly ConditionPart[];
}

export interface PortPart {
  readonly port: number;
  readonly protocol: string;
  readonly name: string;
  readonly nodePort: number;
  /** How it gets to a pod. */
  readonly path: string;
  /** Number of ready endpoints by family. */
  readonly ready: Readonly<Partial<Record<IpFamily, number>>>;
}

/** Endpoints of one family on one node. */
export interface NodeEndpoints {
  readonly family: IpFamily;
  /** Undefined: the node is unknown. */
  readonly node: string | undefined;
  readonly ready: number;
  /** Terminating, but still serving. */
  readonly draining: number;
  readonly notReady: number;
}

export interface ConditionPart {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}
