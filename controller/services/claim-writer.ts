import { groupVersion, timeText, wholeSecondFrom } from "../../src/api/api.ts";
import { managedByController, managedByLabel } from "../../src/api/labels.ts";
import { type ServiceReference, type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { formatAddress, type IpAddress, virtualIpName } from "../../src/ip/address.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { ownPath } from "../../src/kube/path.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { type ServiceName, serviceKeyOf } from "../../src/model/service-reference.ts";
import { KeyedMutex } from "../../src/queue/keyed-mutex.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { invalidClaimSource } from "../allocate/allocations/blocked-addresses.ts";
import {
  addressesOfInvalid,
  type Claim,
  currentPoolOf,
  isClaimOf,
  parseClaim,
  recordsOf,
} from "../allocate/claim/claim.ts";
import { plannedClaim } from "../allocate/claim/planned-claim.ts";
import {
  findJoiningConflict,
  findSharingConflict,
  isRecorded,
  withoutService,
  withService,
} from "../allocate/claim/sharing.ts";
import type { HoldDeadlines } from "../virtual-ips/hold-deadlines.ts";
import type { OwnerAssignments } from "../virtual-ips/owner-assignments.ts";
import { ownerFields } from "../virtual-ips/owner-writes.ts";
import type { ServiceOp } from "./service-plan.ts";

export interface ClaimWriterOptions {
  readonly client: ApiClient;
  readonly allocations: AddressAllocations;
  /** Chooses owners for a claim that is about to be created, and forgets those of one that is gone. */
  readonly ownerAssignments: OwnerAssignments;
  readonly holds: HoldDeadlines;
  readonly clock: Clock;
}

/** How often a deletion is tried again at once, with the version that was found. */
const maxConflicts = 3;

/**
 * Creates, shares and deletes VirtualIPs, one write at a time for each. The list of Services is written only for the version that it
 * was read from: of two concurrent changes one is refused and planned again. Each method resolves to whether the cluster was as
 * planned. If it was not, the allocations already contain what was found. Throws what the API server refuses for other reasons.
 */
export class ClaimWriter {
  readonly #options: ClaimWriterOptions;
  readonly #mutex = new KeyedMutex();

  constructor(options: ClaimWriterOptions) {
    this.#options = options;
  }

  /** Records in the allocations what an op is about to claim: a new address, or a share of one that is being created. */
  assume(service: ServiceView, op: ServiceOp): void {
    const { allocations, ownerAssignments } = this.#options;
    if (op.kind === "JoinVirtualIp") {
      const claim = allocations.claims.get(op.claim.name);
      if (claim?.uid === "") allocations.put({ ...claim, services: withService(claim, service) });
    }
    if (op.kind !== "CreateVirtualIp") return;
    const claim = plannedClaim(allocations.claimAt(op.address), service, op);
    allocations.put(claim);
    ownerAssignments.assignOwners(claim);
  }

  /** Creates the VirtualIP that `assume` has recorded. Resolves to whether the Service now has the address. */
  create(service: ServiceView, address: IpAddress): Promise<boolean> {
    return this.#mutex.run(virtualIpName(address), async () => {
      const { client, allocations, ownerAssignments } = this.#options;
      const claim = allocations.claimAt(address);
      if (claim === undefined || !isClaimOf(claim, service)) return false;
      // Created meanwhile by a Service that shares it, with what `assume` had recorded of this one.
      if (claim.uid !== "") return isRecorded(claim, service);
      const forwarding = currentPoolOf(allocations, claim)?.forwarding;
      const { ownerInterfaces = [], ...assignment } = ownerAssignments.assignOwners(claim);
      const body = {
        apiVersion: groupVersion,
        kind: "VirtualIP",
        metadata: { name: claim.name, labels: { [managedByLabel]: managedByController } },
        spec: {
          address: formatAddress(address),
          ...(claim.pool === undefined ? {} : { pool: claim.pool }),
          ...(claim.node === undefined ? {} : { node: claim.node }),
          ...(forwarding === undefined ? {} : { forwarding }),
          ...(isNew(service, claim) ? { probe: true } : {}),
          services: withService(claim, service),
          ...assignment,
          ...(ownerInterfaces.length === 0 ? {} : { ownerInterfaces }),
        },
      };
      try {
        const created = await client.request({ method: "POST", path: ownPath("virtualips"), body });
        this.#observe(created.body, claim.name);
        return true;
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      // Created by us in an earlier try whose answer was lost, or by another client, as the allocations then show.
      const found = await this.refresh(claim.name);
      return found !== undefined && isClaimOf(found, service) && isRecorded(found, service);
    });
  }

  /** Adds the Service to an existing claim, or updates what is recorded of it there. */
  join(service: ServiceView, { name }: Claim): Promise<boolean> {
    return this.#mutex.run(name, async () => {
      const { client, allocations, ownerAssignments } = this.#options;
      const claim = allocations.claims.get(name);
      if (claim === undefined || claim.uid === "") return false;
      if (isClaimOf(claim, service) && isRecorded(claim, service)) return true;
      // Also where it names an earlier Service of this name.
      const named = claim.services.some((reference) => serviceKeyOf(reference) === service.key);
      const shared = allocations.poolOf(claim.address)?.sharedAcrossNamespaces ?? false;
      const adopts = service.ingress.some(({ ip }) => ip === formatAddress(claim.address));
      const conflict = named
        ? findSharingConflict(claim, service)
        : findJoiningConflict(claim, service, shared || adopts);
      if (conflict !== undefined) return false;
      const services = withService(claim, service);
      if (claim.heldUntilMs === undefined) return this.#writeServices(client, claim, services);
      const written = await this.#write(client, claim, {
        services,
        heldUntil: null,
        ...ownerFields(ownerAssignments.assignOwners(claim)),
      });
      // Planning all addresses may have forgotten its owners meanwhile, as no Service had it yet.
      const joined = allocations.claims.get(name);
      if (written && joined !== undefined) ownerAssignments.assignOwners(joined);
      return written;
    });
  }

  /**
   * Removes the Service from the claim. A claim without another Service is deleted, or kept without announcement for `holdMs`: for the
   * next Service of the name, or of `holdFor`, or for no Service. A reservation of the user stays.
   */
  release(planned: Claim, key: string, holdMs: number, holdFor?: ServiceName | "quarantine"): Promise<boolean> {
    return this.#mutex.run(planned.name, async () => {
      const { client, allocations, ownerAssignments } = this.#options;
      const known = allocations.claims.get(planned.name);
      const claim = known?.uid === planned.uid ? known : planned;
      const mine = claim.services.find((reference) => serviceKeyOf(reference) === key);
      if (mine === undefined) return true;
      const others = withoutService(claim, key);
      if (others.length > 0 && claim.uid !== "") return this.#writeServices(client, claim, others);
      if (holdMs > 0 && claim.uid !== "") return this.#hold(claim, holdFor ?? mine, holdMs);
      // Without uid it exists only in the allocations. If an answer was lost, the watch brings it back and it is released then.
      if (claim.uid !== "" && !(await this.#delete(claim))) return false;
      if (allocations.claims.get(claim.name)?.uid === claim.uid) allocations.drop(claim.name);
      ownerAssignments.forget(claim.name);
      return true;
    });
  }

  /**
   * Deletes the claim by its version: a user may have made it a reservation meanwhile, or another leader assigned it to another Service. What
   * else changed, as the status that speakers write, does not make it another claim.
   */
  async #delete(planned: Claim): Promise<boolean> {
    let claim: Claim | undefined = planned;
    for (let conflicts = 0; claim !== undefined && isSameAssignment(planned, claim); conflicts++) {
      const { name, uid, resourceVersion } = claim;
      try {
        const body = { preconditions: { uid, resourceVersion } };
        await this.#options.client.request({ method: "DELETE", path: ownPath("virtualips", name), body });
        return true;
      } catch (error) {
        if (isNotFound(error)) return true;
        if (!isConflict(error) || conflicts === maxConflicts) throw error;
        claim = await this.refresh(name);
      }
    }
    return false;
  }

  async #hold(claim: Claim, holdFor: ServiceName | "quarantine", holdMs: number): Promise<boolean> {
    const { client, clock, holds, ownerAssignments } = this.#options;
    const nowMs = clock.wallMs();
    // Another process ends the hold by the text alone, in which fractions of a second are lost.
    const heldUntilMs = wholeSecondFrom(nowMs + holdMs);
    const heldUntil = timeText(heldUntilMs);
    const services = holdFor === "quarantine" ? [] : [{ namespace: holdFor.namespace, name: holdFor.name }];
    const spec = { services, owners: [], interfaces: [], ownerInterfaces: null, heldUntil };
    if (!(await this.#write(client, claim, spec))) return false;
    holds.begin(claim.name, heldUntilMs, heldUntilMs - nowMs);
    ownerAssignments.forget(claim.name);
    return true;
  }

  /** The spec of a reservation is the user's, who may keep it in Git: what is recorded of its Services goes into the status. */
  #writeServices(client: ApiClient, claim: Claim, services: readonly ServiceReference[]): Promise<boolean> {
    if (claim.managed) return this.#write(client, claim, { services });
    return this.#patch(client, claim, "/status", { status: { services: recordsOf(services) } });
  }

  #write(client: ApiClient, claim: Claim, spec: Record<string, unknown>): Promise<boolean> {
    return this.#patch(client, claim, "", { spec });
  }

  async #patch(
    client: ApiClient,
    claim: Claim,
    subresource: "" | "/status",
    content: Record<string, unknown>,
  ): Promise<boolean> {
    const { name, uid, resourceVersion } = claim;
    const body = { metadata: { uid, resourceVersion }, ...content };
    const path = `${ownPath("virtualips", name)}${subresource}`;
    try {
      const patched = await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
      this.#observe(patched.body, name);
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      await this.refresh(claim.name);
      return false;
    }
  }

  /** Updates the allocations to what the API server has, and resolves to the claim if there is one. */
  async refresh(name: string): Promise<Claim | undefined> {
    const { client, allocations } = this.#options;
    const found = await getObject(client, ownPath("virtualips", name));
    if (found !== undefined) {
      this.#observe(found, name);
    } else {
      allocations.block(invalidClaimSource(name), []);
      allocations.drop(name);
    }
    return allocations.claims.get(name);
  }

  #observe(raw: unknown, name: string): void {
    const { allocations } = this.#options;
    const parsed = virtualIpSchema.safeParse(raw);
    const claim = parsed.success ? parseClaim(parsed.data satisfies VirtualIP).claim : undefined;
    // Its name is taken although it is not a claim.
    const blocked = claim === undefined ? addressesOfInvalid(name, addressIn(raw)) : [];
    allocations.block(invalidClaimSource(name), blocked);
    if (claim === undefined) allocations.drop(name);
    else allocations.put(claim);
  }
}

/** Whether no Service had the address before: one that the status shows may be announced by another load balancer. */
function isNew({ ingress }: ServiceView, { address, node }: Claim): boolean {
  const text = formatAddress(address);
  return node === undefined && !ingress.some(({ ip }) => ip === text);
}

/** Whether the VirtualIP is still the one of the same Services, or held for the same name and time. */
function isSameAssignment(left: Claim, right: Claim): boolean {
  return (
    left.uid === right.uid &&
    left.managed === right.managed &&
    left.heldUntilMs === right.heldUntilMs &&
    JSON.stringify(left.services) === JSON.stringify(right.services)
  );
}

function addressIn(raw: unknown): unknown {
  return (raw as { spec?: { address?: unknown } } | undefined)?.spec?.address;
}
