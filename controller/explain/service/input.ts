import type { Speaker } from "../../../src/api/speaker.ts";
import type { VirtualIP } from "../../../src/api/virtual-ip.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../../allocate/allocations/address-allocations.ts";
import type { CandidateInput } from "../../owners/announcer-node.ts";
import type { ConditionPart } from "./explanation.ts";

/** What the explanation of one Service is made from: the cluster at one moment. */
export interface ServiceInput {
  readonly service: ServiceView;
  readonly conditions: readonly ConditionPart[];
  /** Of the Service; undefined: none. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Whether the controller handles Services without a class. */
  readonly defaultClass: boolean;
  readonly allocations: AllocationsReader;
  readonly virtualIps: ReadonlyMap<string, VirtualIP>;
  readonly slices: readonly EndpointSliceView[];
  readonly candidates: CandidateInput;
  readonly speakers: ReadonlyMap<string, Speaker>;
  /** Identity of the controller that leads. Undefined: none does. */
  readonly leader: string | undefined;
  /** Bellhop's own namespace. */
  readonly namespace: string;
  /** Why other Services may get addresses in its spec.externalIPs. Undefined: they cannot. */
  readonly externalIpReason?: Reason | undefined;
}
