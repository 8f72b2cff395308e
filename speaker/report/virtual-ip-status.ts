import type { Condition } from "../../src/api/api.ts";
import { addressInUseReason, conflictCondition, rulesWrittenCondition } from "../../src/api/labels.ts";
import type { AnnouncementCause, VirtualIP } from "../../src/api/virtual-ip.ts";
import { withCondition } from "../../src/model/condition.ts";
import { type Reason, reasonMessage } from "../../src/model/reason.ts";
import { ownersOf } from "../../src/placement/owner-assignment.ts";
import type { Announcement } from "../announce/announcer.ts";
import type { Conflict } from "../announce/conflicts.ts";

/** A merge patch of the status of a VirtualIP; null removes a field. */
export interface StatusPatch {
  readonly node?: string | null;
  readonly interfaces?: readonly string[] | null;
  readonly mac?: string | null;
  readonly since?: string | null;
  readonly cause?: AnnouncementCause | null;
  readonly observedGeneration?: number | null;
  readonly probed?: true | null;
  readonly conditions?: readonly Condition[];
}

export interface StatusInput {
  readonly node: string;
  /** What this node announces of it; undefined: nothing. */
  readonly announcement: Announcement | undefined;
  /** Whether this node may announce it now or soon, so that its status stays until it is known. */
  readonly mayAnnounce: boolean;
  readonly conflict: Conflict | undefined;
  /** Why the kernel of this node refuses rules of one of its Services; undefined: it does not. */
  readonly refused: Reason | undefined;
  /** Now, as metav1.Time. */
  readonly now: string;
}

/**
 * The patch that this node must write for an address; undefined: none. Only the announcer writes. A node that no longer announces the
 * address removes what it wrote itself, but only while no other node is its first owner: that one overwrites it.
 */
export function statusPatch(virtualIp: VirtualIP, input: StatusInput): StatusPatch | undefined {
  const { status } = virtualIp;
  const { node, announcement, mayAnnounce, conflict, refused, now } = input;
  const [first] = announcement?.links ?? [];
  const present = status?.conditions ?? [];
  if (announcement === undefined || first === undefined) {
    const [firstOwner] = ownersOf(virtualIp).owners;
    const ours = status?.node === node && (firstOwner ?? node) === node && !mayAnnounce;
    const used = firstOwner === node && conflict !== undefined ? usedConditions(present, conflict, now) : undefined;
    const rules = firstOwner === node ? rulesConditions(used ?? present, refused, now) : undefined;
    const conditions = rules ?? used;
    // The answer to a probe came late: for the controller it is as if the address had not been announced.
    const late = firstOwner === node && conflict?.hadBefore === true && status?.probed === true;
    return ours || late || conditions !== undefined
      ? {
          ...(ours ? nothingAnnounced : {}),
          ...(late ? { probed: null } : {}),
          ...(conditions === undefined ? {} : { conditions }),
        }
      : undefined;
  }
  const interfaces = announcement.links.map(({ name }) => name);
  const conflicts = conflictConditions(present, conflict, now);
  const conditions = rulesConditions(conflicts ?? present, refused, now) ?? conflicts;
  const moved = status?.node !== node;
  // A speaker that was restarted has not begun to announce what its node announced already.
  const since = moved ? now : (status.since ?? now);
  const cause = moved ? announcement.cause : ((status.cause as AnnouncementCause) ?? announcement.cause);
  const after = { node, interfaces, mac: first.mac, since, cause, observedGeneration: announcement.claim.term };
  const same = announcementText(status) === announcementText(after);
  const probed = virtualIp.spec.probe === true && status?.probed !== true;
  if (same && conditions === undefined && !probed) return undefined;
  return {
    ...(same ? {} : after),
    ...(probed ? { probed: true } : {}),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

const nothingAnnounced = {
  node: null,
  interfaces: null,
  mac: null,
  since: null,
  cause: null,
  observedGeneration: null,
} as const satisfies StatusPatch;

function announcementText(status: VirtualIP["status"]): string {
  const { node, interfaces, mac, since, cause, observedGeneration } = status ?? {};
  return JSON.stringify([node, interfaces, mac, since, cause, observedGeneration]);
}

/** The condition appears with the first refusal, and stays as True when the kernel accepts the rules. */
function rulesConditions(
  present: readonly Condition[],
  refused: Reason | undefined,
  now: string,
): readonly Condition[] | undefined {
  const type = rulesWrittenCondition;
  if (refused !== undefined) {
    const message = reasonMessage(refused);
    return withCondition(present, { type, status: "False", reason: refused.code, message }, now);
  }
  if (!present.some((condition) => condition.type === type)) return undefined;
  const message = "The kernel of the announcing node has the rules.";
  return withCondition(present, { type, status: "True", reason: "Written", message }, now);
}

/** Another device has the address, so that it is not announced. */
function usedConditions(
  present: readonly Condition[],
  { mac, interfaceName, address }: Conflict,
  now: string,
): readonly Condition[] | undefined {
  const message = `${mac} on the LAN of ${interfaceName} has ${address} already. Find that device by its MAC address, or assign another address to the Service. The address is announced when that device no longer has it.`;
  return withCondition(present, { type: conflictCondition, status: "True", reason: addressInUseReason, message }, now);
}

/** The condition appears with the first conflict, and stays as False when the conflict is over. */
function conflictConditions(
  present: readonly Condition[],
  conflict: Conflict | undefined,
  now: string,
): readonly Condition[] | undefined {
  const type = conflictCondition;
  if (conflict !== undefined) {
    const { mac, interfaceName, address, node } = conflict;
    const message =
      node === undefined
        ? `${mac} on the LAN of ${interfaceName} also answers for ${address}. Find that device by its MAC address, or assign another address to the Service.`
        : `${mac} of node ${node} on the LAN of ${interfaceName} also answers for ${address}. Look at the speaker and the interfaces of that node.`;
    return withCondition(present, { type, status: "True", reason: "ForeignMac", message }, now);
  }
  if (!present.some((condition) => condition.type === type)) return undefined;
  const over = {
    type,
    status: "False",
    reason: "NoForeignMac",
    message: "No other device answers for the address.",
  } as const;
  return withCondition(present, over, now);
}
