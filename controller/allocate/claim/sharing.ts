import { shareWithAnnotation } from "../../../src/api/labels.ts";
import {
  maxBackendsLength,
  maxSharedPorts,
  maxSharers,
  maxSharingKeyLength,
  maxSharingNamespaces,
  type ServiceReference,
  type Sharing,
} from "../../../src/api/virtual-ip.ts";
import { formatAddress } from "../../../src/ip/address.ts";
import { shortenDistinctly } from "../../../src/model/bounded-text.ts";
import { type Reason, type ReasonCode, reasonOf, serviceObject, startSentence } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { describeService, serviceKeyOf } from "../../../src/model/service-reference.ts";
import { type Claim, describeClaim, isClaimOf } from "./claim.ts";
import { reassignOf } from "./reassign.ts";
import { serviceAnnotation } from "./service-annotations.ts";

/** Why a Service cannot share an address with the Services that have it. */
export interface SharingConflict {
  readonly code: ReasonCode;
  readonly detail: string;
}

/** How the Service shares its address. Undefined: it does not share it, or cannot: see `findSharingLimit`. */
export function sharingOf(service: ServiceView): Sharing | undefined {
  const key = serviceAnnotation(service, "share")?.text ?? "";
  if (key === "" || key.length > maxSharingKeyLength || service.ports.length > maxSharedPorts) return undefined;
  const namespaces = namespacesOf(service);
  return {
    key,
    ...(namespaces.length === 0 ? {} : { namespaces }),
    ports: portsOf(service),
    backends: backendsOf(service),
  };
}

/** The other namespaces whose Services may share the address, sorted. Texts that are not names of namespaces are ignored. */
function namespacesOf(service: ServiceView): string[] {
  const names = (service.annotations[shareWithAnnotation] ?? "").split(",").map((text) => text.trim());
  const valid = names.filter((name) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) && name !== service.namespace);
  return [...new Set(valid)].sort().slice(0, maxSharingNamespaces);
}

/**
 * Why the Service cannot share an address at all: every node reads what a VirtualIP records of its Services. `onNodes`: on nodes' own
 * addresses, where every Service shares.
 */
export function findSharingLimit(service: ServiceView, onNodes: boolean): Reason | undefined {
  const annotation = serviceAnnotation(service, "share");
  const key = annotation?.text ?? "";
  const object = serviceObject(service);
  if (annotation !== undefined && key.length > maxSharingKeyLength)
    return reasonOf("SharingKeyTooLong", { object, field: annotation.field, value: key });
  if (service.ports.length <= maxSharedPorts || (key === "" && !onNodes)) return undefined;
  return reasonOf("SharingTooManyPorts", { object, field: "spec.ports", value: String(service.ports.length) });
}

/** Why an address cannot have one more Service. Undefined: it can. */
export function findFullConflict(claim: Claim): SharingConflict | undefined {
  if (claim.services.length < maxSharers) return undefined;
  return { code: "SharingFull", detail: `${formatAddress(claim.address)} has ${claim.services.length} Services.` };
}

/** How the Service uses the address of this claim. On a node's own address every Service shares, and only ports count. */
function sharingAt(service: ServiceView, { node }: Pick<Claim, "node">): Sharing | undefined {
  return node === undefined ? sharingOf(service) : { key: "", ports: portsOf(service), backends: "" };
}

/** `80/TCP`, sorted. */
export function portsOf(service: ServiceView): string[] {
  return service.ports.map(({ port, protocol }) => `${port}/${protocol}`).sort();
}

/**
 * Under Local only nodes with ready pods announce and serve, so all Services of the address must have the same pods: the same
 * namespace and selector. Without a selector the pods are unknown, so the Service does not match any other.
 */
function backendsOf(service: ServiceView): string {
  if (service.externalTrafficPolicy === "Cluster") return "Cluster";
  const labels = Object.entries(service.selector).map(([label, value]) => `${label}=${value}`);
  if (labels.length === 0) return `Local ${service.key}`;
  return shortenDistinctly(`Local ${service.namespace} ${labels.sort().join(",")}`, maxBackendsLength);
}

/**
 * Why the Service, as it is now, cannot have this address together with the others that the claim names. It is compared with what is
 * recorded of them, so a Service that changes gives way, and never one that did not. A Service that a reservation names and that does
 * not exist yet conflicts only with Services that do not share: nothing is recorded of those.
 */
export function findSharingConflict(claim: Claim, service: ServiceView): SharingConflict | undefined {
  const mine = sharingAt(service, claim);
  for (const other of claim.services) {
    if (serviceKeyOf(other) === service.key) continue;
    const isAbsent = other.uid === undefined && other.sharing === undefined;
    if (isAbsent && (claim.managed || mine !== undefined)) continue;
    const conflict = findConflictBetween(mine, other, claim, service.namespace);
    if (conflict !== undefined) return conflict;
  }
  return undefined;
}

/** Like findSharingConflict, for a Service that does not have the address yet. */
export function findJoiningConflict(
  claim: Claim,
  service: ServiceView,
  acrossNamespaces: boolean,
): SharingConflict | undefined {
  if (!claim.managed) return { code: "RequestedAddressReserved", detail: `VirtualIP ${claim.name} reserves it.` };
  if (claim.heldUntilMs !== undefined)
    return { code: "RequestedAddressTaken", detail: describeClaim(claim, service.namespace) };
  const conflict = findSharingConflict(claim, service) ?? findFullConflict(claim);
  if (conflict !== undefined) return conflict;
  if (acrossNamespaces || claim.node !== undefined) return undefined;
  const listed = namespacesOf(service);
  const foreign = claim.services.filter((other) => other.namespace !== service.namespace);
  const unlisted = foreign.some((other) => !listed.includes(other.namespace));
  if (unlisted)
    return {
      code: "SharingForbiddenAcrossNamespaces",
      detail: `This Service does not list all of these namespaces in ${shareWithAnnotation}.`,
    };
  const refusing = foreign.find(({ sharing }) => sharing?.namespaces?.includes(service.namespace) !== true);
  if (refusing === undefined) return undefined;
  const detail = `Service ${serviceKeyOf(refusing)} does not list ${service.namespace} in ${shareWithAnnotation}.`;
  return { code: "SharingForbiddenAcrossNamespaces", detail };
}

function findConflictBetween(
  mine: Sharing | undefined,
  other: ServiceReference,
  claim: Claim,
  reader: string,
): SharingConflict | undefined {
  const theirs = other.sharing;
  const who = describeService(other, reader);
  if (mine === undefined || theirs === undefined) {
    const unshared = mine === undefined ? "" : " That Service does not share it.";
    return { code: "RequestedAddressTaken", detail: `${describeClaim(claim, reader)}${unshared}` };
  }
  if (mine.key !== theirs.key)
    return { code: "SharingKeyDiffers", detail: `${formatAddress(claim.address)} belongs to ${who}.` };
  const port = mine.ports.find((candidate) => theirs.ports.includes(candidate));
  if (port !== undefined) {
    const code = claim.node === undefined ? "SharingPortTaken" : "NodeAddressPortTaken";
    const where = `${formatAddress(claim.address)}${claim.node === undefined ? "" : ` of Node ${claim.node}`}`;
    return { code, detail: `${startSentence(who)} uses ${port} on ${where}.` };
  }
  if (mine.backends !== theirs.backends) {
    const ofOther = other.namespace === reader ? theirs.backends : policyOf(theirs.backends);
    return {
      code: "SharingPolicyDiffers",
      detail: `${startSentence(who)} has ${describeBackends(ofOther)}. This Service has ${describeBackends(mine.backends)}.`,
    };
  }
  return undefined;
}

/** The externalTrafficPolicy alone, of what backendsOf returns. */
function policyOf(backends: string): string {
  return backends.split(" ")[0] ?? "";
}

/** `externalTrafficPolicy Local and the selector "app=web" in namespace shop`, of what backendsOf returns. */
function describeBackends(backends: string): string {
  const [policy = "", namespace, ...selector] = backends.split(" ");
  if (namespace === undefined) return `externalTrafficPolicy ${policy}`;
  if (selector.length === 0) return `externalTrafficPolicy ${policy} and no selector`;
  return `externalTrafficPolicy ${policy} and the selector ${JSON.stringify(selector.join(" "))} in namespace ${namespace}`;
}

/** Whether what the claim records of the Service is up to date. */
export function isRecorded(claim: Claim, service: ServiceView): boolean {
  const reference = claim.services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return claim.heldUntilMs === undefined && sameSharing(reference?.sharing, sharingAt(service, claim));
}

/** Whether a Service that is to have the address must still be added to the claim, or what is recorded of it be updated. */
export function needsJoin(claim: Claim, service: ServiceView): boolean {
  // While the claim is being created, the creation itself writes what is up to date then.
  return !isClaimOf(claim, service) || (claim.uid !== "" && !isRecorded(claim, service));
}

function sameSharing(left: Sharing | undefined, right: Sharing | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.key === right.key &&
    left.backends === right.backends &&
    left.ports.join() === right.ports.join() &&
    (left.namespaces ?? []).join() === (right.namespaces ?? []).join()
  );
}

/** The Service as this claim is to name it. */
export function referenceOf(
  service: ServiceView,
  claim: Pick<Claim, "node">,
): ServiceReference & { readonly uid: string } {
  const { namespace, name, uid } = service;
  const sharing = sharingAt(service, claim);
  const reassigned = reassignOf(service);
  return {
    namespace,
    name,
    uid,
    ...(reassigned === undefined ? {} : { reassigned }),
    ...(sharing === undefined ? {} : { sharing }),
  };
}

/** The Services of the claim with this one as it is now, at its previous position if it had one. */
export function withService(claim: Claim, service: ServiceView): readonly ServiceReference[] {
  const mine = referenceOf(service, claim);
  const index = claim.services.findIndex((reference) => serviceKeyOf(reference) === service.key);
  if (index < 0) return [...claim.services, mine];
  const { uid, reassigned, ...anybody } = mine;
  const before = claim.services[index];
  // An address that it has already was assigned for an earlier text, if for any.
  const givenFor = before?.uid === uid ? before?.reassigned : reassigned;
  const own = { ...anybody, uid, ...(givenFor === undefined ? {} : { reassigned: givenFor }) };
  // A reservation stays one for any Service of the name, so it records no uid.
  const kept = claim.managed ? own : anybody;
  return claim.services.map((reference, position) => (position === index ? kept : reference));
}

/**
 * The Services of the claim without this one. In a reservation the user's own reference stays, without what we have recorded there.
 */
export function withoutService(claim: Claim, serviceKey: string): readonly ServiceReference[] {
  if (claim.managed) return claim.services.filter((reference) => serviceKeyOf(reference) !== serviceKey);
  return claim.services.map(({ sharing, ...reference }) =>
    serviceKeyOf(reference) === serviceKey || sharing === undefined ? reference : { ...reference, sharing },
  );
}
