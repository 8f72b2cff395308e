import { timeText } from "../../../src/api/api.ts";
import { addressInUseReason, conflictCondition } from "../../../src/api/labels.ts";
import {
  forwardingTextOf,
  isManaged,
  type RecordedService,
  type ServiceReference,
  type VirtualIP,
} from "../../../src/api/virtual-ip.ts";
import {
  addressOfVirtualIpName,
  formatAddress,
  type IpAddress,
  parseAddress,
  virtualIpName,
} from "../../../src/ip/address.ts";
import { type Forwarding, parseForwarding } from "../../../src/model/forwarding.ts";
import { type Reason, reasonOf } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { describeService, refersTo, serviceKeyOf } from "../../../src/model/service-reference.ts";

/** A VirtualIP as `allocate` sees it. */
export interface Claim {
  /** Name of the VirtualIP. */
  readonly name: string;
  readonly address: IpAddress;
  readonly pool: string | undefined;
  /** How traffic reaches the pods of Services without the annotation, and whether a reservation sets it, not a pool. */
  readonly forwarding?: { readonly mode: Forwarding; readonly reserved: boolean } | undefined;
  /** The node whose own address it is. Such a claim is shared by all Services whose ports differ, and is not announced. */
  readonly node?: string | undefined;
  readonly services: readonly ServiceReference[];
  /** Created by the controller. Others are reservations of the user, which are never deleted. */
  readonly managed: boolean;
  /** Wall time in ms until which the address is held for the next Service of a name, or quarantined. Never set for a reservation. */
  readonly heldUntilMs?: number | undefined;
  /** Which other device on the LAN answers for the address, as a sentence. */
  readonly conflict?: string | undefined;
  /** Whether that device had it before a node announced it for the first time. Services that did not request the address leave it. */
  readonly usedBefore?: boolean | undefined;
  /** Empty while the object is being created, and so is `resourceVersion`. */
  readonly uid: string;
  readonly resourceVersion: string;
}

export type ClaimParse =
  | { readonly claim: Claim; readonly reason?: never }
  | { readonly claim?: never; readonly reason: Reason };

/** Rejects a VirtualIP whose name is not made from its address, because only that name keeps the address unique. */
export function parseClaim({ metadata, spec, status }: VirtualIP): ClaimParse {
  const address = parseAddress(spec.address);
  const expected = address === undefined ? undefined : virtualIpName(address);
  if (address === undefined || expected !== metadata.name) {
    const detail =
      expected === undefined
        ? "The text is not an IP address."
        : `The VirtualIP of this address must have the name ${expected}.`;
    const about = { object: `VirtualIP ${metadata.name}`, field: "spec.address", value: spec.address, detail };
    return { reason: reasonOf("VirtualIpInvalid", about) };
  }
  const managed = isManaged({ metadata });
  const mode = parseForwarding(forwardingTextOf({ spec, status }));
  return {
    claim: {
      name: metadata.name,
      address,
      pool: spec.pool,
      ...(mode === undefined ? {} : { forwarding: { mode, reserved: !managed && spec.forwarding !== undefined } }),
      node: managed ? spec.node : undefined,
      services: managed ? spec.services : withRecords(spec.services, status?.services),
      managed,
      heldUntilMs: managed && spec.heldUntil !== undefined ? Date.parse(spec.heldUntil) || 0 : undefined,
      conflict: conflictIn(status?.conditions ?? []),
      usedBefore: managed && wasUsedBefore(metadata, spec, status),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
  };
}

/** What a probe finds later than this after the claim was created does not take the address from a Service. */
const firstProbeMs = 10 * 60_000;

/**
 * Speakers probe an address before the first of them announces it, and say so in the status. What is found then had the address before. A device
 * that claims it later does not take it from a Service, even when no node announces it at the moment, for example while a speaker restarts.
 */
function wasUsedBefore(
  { creationTimestamp }: VirtualIP["metadata"],
  spec: VirtualIP["spec"],
  status: VirtualIP["status"],
): boolean {
  if (spec.probe !== true || status?.probed === true || status?.node !== undefined) return false;
  const conflict = status?.conditions?.find((one) => one.type === conflictCondition && one.status === "True");
  if (conflict?.reason !== addressInUseReason) return false;
  return Date.parse(conflict.lastTransitionTime) - Date.parse(creationTimestamp) <= firstProbeMs;
}

/** Which other device answers for the address of a VirtualIP with these conditions, as a sentence. Undefined: none does. */
export function conflictIn(
  conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[],
): string | undefined {
  const conflict = conditions.find(({ type, status }) => type === conflictCondition && status === "True");
  // The message ends with a cure of its own.
  return conflict === undefined ? undefined : (/^.*?\.(?= |$)/.exec(conflict.message)?.[0] ?? conflict.message);
}

/** The addresses that a VirtualIP blocks which is not a valid claim: the one that it names, and the one that has its name. */
export function addressesOfInvalid(name: string, specAddress: unknown): readonly IpAddress[] {
  const named = typeof specAddress === "string" ? parseAddress(specAddress) : undefined;
  const occupied = addressOfVirtualIpName(name);
  return [named, occupied].flatMap((address) => address ?? []);
}

/**
 * The Services that a user has written into a reservation, with what the controller has recorded of them in the status. Earlier versions
 * recorded it in spec: `records` undefined.
 */
function withRecords(
  services: readonly ServiceReference[],
  records: readonly RecordedService[] | undefined,
): readonly ServiceReference[] {
  if (records === undefined) return services;
  const sharings = new Map(records.map((record) => [serviceKeyOf(record), record.sharing]));
  return services.map(({ sharing: _former, ...reference }) => {
    const sharing = sharings.get(serviceKeyOf(reference));
    return sharing === undefined ? reference : { ...reference, sharing };
  });
}

/** What the status of a reservation records of its Services. */
export function recordsOf(services: readonly ServiceReference[]): readonly RecordedService[] {
  return services.flatMap(({ namespace, name, sharing }) =>
    sharing === undefined ? [] : [{ namespace, name, sharing }],
  );
}

/** Whether the claim names this Service: by uid, or by name where it has no uid. */
export function isClaimOf(claim: Claim, service: ServiceView): boolean {
  return claim.services.some((reference) => refersTo(reference, service));
}

/**
 * Whether the claim proves that we assigned its address to this Service. A reservation names Services before they have the address, and
 * another controller may serve them: it proves that only for those whose use of the address we have recorded.
 */
export function provesAssignment(claim: Claim, service: ServiceView): boolean {
  return claim.services.some(
    (reference) => refersTo(reference, service) && (claim.managed || reference.sharing !== undefined),
  );
}

interface PoolLookup<Pool> {
  poolOf(address: IpAddress): Pool | undefined;
  readonly nodes: { poolAt(address: IpAddress): Pool | undefined };
}

/** The pool of a claim as pools and nodes are now. May be another one than the claim names. */
export function currentPoolOf<Pool>(
  allocations: PoolLookup<Pool>,
  { address, node }: Pick<Claim, "address" | "node">,
): Pool | undefined {
  return node === undefined ? allocations.poolOf(address) : allocations.nodes.poolAt(address);
}

/** Whether a Service has the address. Not so for a reservation without Services, or a hold for a deleted Service. */
export function isInUse(claim: Claim): boolean {
  return claim.services.length > 0 && claim.heldUntilMs === undefined;
}

/** Whether no Service may have the address for a while, because another device on the LAN had it when it was to be announced. */
export function isQuarantined({ managed, services, heldUntilMs }: Claim): boolean {
  return managed && services.length === 0 && heldUntilMs !== undefined;
}

/** Why no Service may have the address of a quarantined claim and until when, to follow "192.0.2.7 is". Without a full stop. */
export function describeQuarantine({ name, conflict, heldUntilMs = 0 }: Claim): string {
  const device = conflict?.replace(/\.$/, "") ?? "another device on the LAN has it";
  return `left out until ${timeText(heldUntilMs)}, because ${device}; kubectl delete virtualip ${name} ends this at once`;
}

/** Who has the address, as a sentence. With `readerNamespace`, Services of other namespaces are not named. */
export function describeClaim(claim: Claim, readerNamespace?: string): string {
  const [first, ...others] = claim.services;
  const text = formatAddress(claim.address);
  if (isQuarantined(claim))
    return `${text} is ${describeQuarantine(claim)}. Remove that device, or exclude the address from its pool.`;
  if (first !== undefined && claim.heldUntilMs !== undefined) {
    const until = new Date(claim.heldUntilMs).toISOString();
    return `${text} is held until ${until} for ${describeService(first, readerNamespace).replace(/^Service/, "a new Service")}.`;
  }
  if (first === undefined) return `VirtualIP ${claim.name} reserves ${text}, and no Service has it yet.`;
  return `${text} belongs to ${describeService(first, readerNamespace)}${others.length > 0 ? ` and ${others.length} more` : ""}.`;
}
