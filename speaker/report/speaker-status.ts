import { type Condition, maxInterfaces, timeText } from "../../src/api/api.ts";
import { rulesWrittenCondition } from "../../src/api/labels.ts";
import {
  avoidsDeadNodesFeature,
  learnsAffinityFeature,
  maxAnnouncing,
  maxGateways,
  maxInterfaceAddresses,
  maxPeers,
  maxRefusedServices,
  type Speaker,
  type SpeakerPeers,
  statusOwnersFeature,
} from "../../src/api/speaker.ts";
import type { Clock } from "../../src/clock/clock.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import { type ConditionState, withConditions } from "../../src/model/condition.ts";
import type { Reason } from "../../src/model/reason.ts";
import { version } from "../../src/program/version.ts";
import type { Announcer } from "../announce/announcer.ts";
import type { NodeHealth } from "../health/node-health.ts";
import { hostConditions } from "../host-checks/host-conditions.ts";
import type { HostFault } from "../host-checks/host-fault.ts";
import type { Link } from "../links/link.ts";
import { heartbeatConditions } from "../peers/heartbeat-checks.ts";
import type { PeerStates } from "../peers/peer-states.ts";

export interface SpeakerStatusInput {
  readonly version: string;
  readonly kernel: string;
  readonly bootNonce: string;
  /** Whether it has the feature avoidsDeadNodesFeature. */
  readonly avoidsDeadNodes: boolean;
  /** Whether it has the feature learnsAffinityFeature. */
  readonly learnsAffinity: boolean;
  readonly links: readonly Link[];
  readonly gateways: readonly string[];
  readonly announcing: readonly string[];
  readonly conditions: readonly Condition[];
  readonly readyFamilies: readonly IpFamily[];
  /** Undefined: there are no heartbeats yet. */
  readonly peers: SpeakerPeers | undefined;
  /** Services whose rules the kernel refuses. */
  readonly refusedServices: readonly string[];
}

function featuresOf({ avoidsDeadNodes, learnsAffinity }: SpeakerStatusInput): string[] {
  return [
    statusOwnersFeature,
    ...(avoidsDeadNodes ? [avoidsDeadNodesFeature] : []),
    ...(learnsAffinity ? [learnsAffinityFeature] : []),
  ];
}

/** The status of the Speaker object, always in the same order, so that equal texts mean equal facts. */
export function speakerStatus(input: SpeakerStatusInput): NonNullable<Speaker["status"]> {
  const { version, kernel, bootNonce, links, gateways, announcing, conditions } = input;
  const { readyFamilies, refusedServices, peers } = input;
  return {
    version,
    kernel,
    bootNonce,
    features: { bootNonce, names: featuresOf(input) },
    readiness: {
      bootNonce,
      families: [...readyFamilies],
      refusedServices: [...refusedServices].sort().slice(0, maxRefusedServices),
    },
    // The API server refuses longer lists.
    ...(peers === undefined ? {} : { peers: { bootNonce, ...limitPeers(peers) } }),
    interfaces: links.slice(0, maxInterfaces).map(({ name, mac, up, addresses, cannotServe = [] }) => ({
      name,
      mac,
      up,
      addresses: addresses.slice(0, maxInterfaceAddresses),
      ...(cannotServe.length === 0 ? {} : { cannotServe: [...cannotServe] }),
    })),
    gateways: gateways.slice(0, maxGateways),
    announcing: [...announcing].sort().slice(0, maxAnnouncing),
    announcingCount: announcing.length,
    conditions: [...conditions],
  };
}

/** The conditions that follow from the health of the node. Those that stay as they are keep their time. Pure. */
export function healthConditions(
  present: readonly Condition[],
  { rulesFailing, rulesWritten, answering }: NodeHealth,
  now: string,
): readonly Condition[] {
  const failing = rulesFailing.map(({ family, failure }) => `${family}: ${failure}`).join("; ");
  const rules: ConditionState =
    failing === ""
      ? { type: rulesWrittenCondition, status: "True", reason: "Written", message: "The rules are written." }
      : {
          type: rulesWrittenCondition,
          status: "False",
          reason: "WriteFailed",
          message: `The rules cannot be written, and the earlier ones stay. ${failing}.`,
        };
  const answers: ConditionState = answering
    ? { type: "Answering", status: "True", reason: "ThreadAlive", message: "The node answers for its addresses." }
    : {
        type: "Answering",
        status: "False",
        reason: "ThreadStalled",
        message: "The thread that answers ARP requests and neighbor solicitations has been stalled for more than 5 s.",
      };
  // Before the first write it is not known.
  const known = rulesWritten || failing !== "" ? [rules] : [];
  return withConditions(present, [...known, answers], now);
}

/** What is reported of other nodes. */
type ReportedPeers = Pick<PeerStates, "hearing" | "deadNodes" | "frozenNodes">;

function peersOf({ hearing, deadNodes, frozenNodes }: ReportedPeers): SpeakerPeers | undefined {
  if (hearing === undefined) return undefined;
  return {
    hearing: [...hearing.heard],
    lost: [...hearing.lost],
    deadNodes: [...deadNodes].sort(),
    frozenNodes: [...frozenNodes].sort(),
  };
}

function limitPeers({ hearing, lost, deadNodes = [], frozenNodes = [] }: SpeakerPeers): SpeakerPeers {
  const most = (nodes: readonly string[]): string[] => nodes.slice(0, maxPeers);
  return { hearing: most(hearing), lost: most(lost), deadNodes: most(deadNodes), frozenNodes: most(frozenNodes) };
}

export interface SpeakerStatusOptions {
  /** The node as it was last read. */
  readonly host: { readonly links: readonly Link[]; readonly gateways: readonly string[] };
  readonly announcer: Announcer;
  readonly health: { readonly current: NodeHealth };
  readonly dataplane: { readonly refusedServices: readonly string[] };
  readonly peers: ReportedPeers;
  readonly kernel: string;
  readonly bootNonce: string;
  readonly avoidsDeadNodes: boolean;
  /** See `NodeFacts`. */
  readonly hiddenChoices: () => boolean;
  readonly clock: Clock;
}

/** The status of the node's own Speaker object as it is now, whether written or not. Keeps its conditions. */
export class SpeakerStatus {
  readonly #options: SpeakerStatusOptions;
  #conditions: readonly Condition[] = [];

  constructor(options: SpeakerStatusOptions) {
    this.#options = options;
  }

  /** The settings of the node are known for the first time, or there are other faults in them. */
  hostFaultsChanged(faults: readonly HostFault[]): void {
    const now = timeText(this.#options.clock.wallMs());
    this.#conditions = hostConditions(this.#conditions, faults, now);
  }

  /** It is known for the first time whether the key of heartbeats can be used, or that has changed. */
  heartbeatFaultChanged(fault: Reason | undefined): void {
    const now = timeText(this.#options.clock.wallMs());
    this.#conditions = heartbeatConditions(this.#conditions, fault, now);
  }

  /** The health is known for the first time, or has changed. */
  healthChanged(): void {
    const { health, clock } = this.#options;
    this.#conditions = healthConditions(this.#conditions, health.current, timeText(clock.wallMs()));
  }

  current(): NonNullable<Speaker["status"]> {
    const { host, announcer, health, dataplane, peers, kernel, bootNonce, avoidsDeadNodes, hiddenChoices } =
      this.#options;
    const { links, gateways } = host;
    return speakerStatus({
      version,
      kernel,
      bootNonce,
      avoidsDeadNodes,
      learnsAffinity: avoidsDeadNodes && !hiddenChoices(),
      links,
      gateways,
      announcing: announcer.addresses,
      conditions: this.#conditions,
      readyFamilies: health.current.readyFamilies,
      peers: peersOf(peers),
      refusedServices: dataplane.refusedServices,
    });
  }
}
