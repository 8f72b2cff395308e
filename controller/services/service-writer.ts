import type { V1Service } from "@kubernetes/client-node";
import { timeText } from "../../src/api/api.ts";
import { addressReadyCondition } from "../../src/api/labels.ts";
import type { MetallbCompatibility } from "../../src/api/metallb.ts";
import { type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, serviceSubject } from "../../src/kube/event.ts";
import { servicePath } from "../../src/kube/path.ts";
import { type AddressReady, loadBalancerFinalizer, projectService, type ServiceView } from "../../src/model/service.ts";
import { isClaimOf } from "../allocate/claim/claim.ts";
import { recordShown } from "../observe/observed-services.ts";
import { ClaimWriter, type ClaimWriterOptions } from "./claim-writer.ts";
import type { MutationCache } from "./mutation-cache.ts";
import { isCertainlyLeaving, isUnchanged } from "./service-check.ts";
import type { ServiceOp } from "./service-plan.ts";

export interface ServiceWriterOptions extends ClaimWriterOptions {
  readonly events: EventRecorder;
  /** What of MetalLB counts, as in the watched views. Undefined: nothing. */
  readonly metallb: MetallbCompatibility | undefined;
  /** Remembers Services as our own writes left them. */
  readonly mutations: MutationCache;
}

/**
 * `replan`: the cluster was not as planned; plan again from the allocations. `outdated`: the Service has changed since it was planned
 * for; plan again when the watch has brought the change.
 */
export type WriteResult = "done" | "replan" | "outdated";

/**
 * Carries out the ops of one Service in order. A stale plan fails instead of doing harm: every write names the version or uid that it was
 * planned for, or creates an object under a unique name. No claim is released, or created without a patch to follow, because of an
 * outdated view of the Service. Throws what the API server refuses.
 */
export class ServiceWriter {
  readonly #options: ServiceWriterOptions;
  readonly #claims: ClaimWriter;

  constructor(options: ServiceWriterOptions) {
    this.#options = options;
    this.#claims = new ClaimWriter(options);
  }

  /** Records in the allocations what is about to be claimed. Call it in the same turn of the event loop as the planning. */
  assume(service: ServiceView, ops: readonly ServiceOp[]): void {
    for (const op of ops) this.#claims.assume(service, op);
  }

  /**
   * Addresses that the Service shows, that the ops would remove, and that the allocations do not record as its own. Another controller may
   * have claimed one for it without the watch having shown that yet: call `lookUp` before the Service loses it.
   */
  findUnconfirmed(service: ServiceView | undefined, ops: readonly ServiceOp[]): readonly IpAddress[] {
    const shown = ops.flatMap((op) => (op.kind === "PatchStatus" && op.ingress !== undefined ? [op.ingress] : []))[0];
    if (service === undefined || shown === undefined) return [];
    const lost = service.ingress.filter(({ ip }) => !shown.some((entry) => entry.ip === ip));
    return lost.flatMap(({ ip }) => parseAddress(ip) ?? []).filter((address) => !this.#isClaimed(service, address));
  }

  /** Asks the API server who has the address, and records that in the allocations. Resolves to whether it is this Service. */
  async lookUp(service: ServiceView, address: IpAddress): Promise<boolean> {
    await this.#claims.refresh(virtualIpName(address));
    return this.#isClaimed(service, address);
  }

  #isClaimed(service: ServiceView, address: IpAddress): boolean {
    const claim = this.#options.allocations.claimAt(address);
    return claim !== undefined && isClaimOf(claim, service);
  }

  /** `service` undefined: it does not exist any longer; then only claims are released. */
  async write(key: string, service: ServiceView | undefined, ops: readonly ServiceOp[]): Promise<WriteResult> {
    let newest = service;
    const patches = ops.some(({ kind }) => kind === "PatchStatus");
    // Whether the API server has confirmed that the Service is as planned for. A patch that it accepts confirms that, too.
    let confirmed = false;
    for (const op of ops) {
      const needsCheck =
        op.kind === "ReleaseVirtualIp" ? !isCertainlyLeaving(newest, op.claim) : isClaim(op) && !patches;
      if (needsCheck) confirmed ||= await isUnchanged(this.#options.client, key, newest);
      if (needsCheck && !confirmed) return "outdated";
      if (op.kind === "ReleaseVirtualIp") {
        if (!(await this.#claims.release(op.claim, key, op.holdMs, op.holdFor))) return "replan";
      } else if (newest === undefined) throw new Error(`${op.kind} was planned without a Service`);
      else if (op.kind === "Event") this.#recordEvent(newest, op);
      else if (op.kind === "CreateVirtualIp") {
        if (!(await this.#claims.create(newest, op.address))) return "replan";
      } else if (op.kind === "JoinVirtualIp") {
        if (!(await this.#claims.join(newest, op.claim))) return "replan";
      } else {
        newest = await this.#patch(newest, op);
        confirmed = true;
      }
    }
    return "done";
  }

  #recordEvent(service: ServiceView, { type, reason, message }: Extract<ServiceOp, { kind: "Event" }>): void {
    this.#options.events.record(serviceSubject(service), { type, reason, message });
  }

  async #patch(
    service: ServiceView,
    op: Extract<ServiceOp, { kind: "PatchStatus" | "LeaveService" }>,
  ): Promise<ServiceView> {
    const { client, metallb, mutations, allocations, clock } = this.#options;
    const { metadata = {}, status } = patchBody(service, op, timeText(clock.wallMs()));
    const body = {
      metadata: { ...metadata, uid: service.uid, resourceVersion: service.resourceVersion },
      ...(status === undefined ? {} : { status }),
    };
    const path = `${servicePath(service.namespace, service.name)}/status`;
    try {
      const answer = await client.request({ method: "PATCH", path, body, contentType: patchTypes.strategic });
      const after = projectService(answer.body as V1Service, metallb);
      mutations.written(service, after);
      recordShown(allocations, after.key, after);
      return after;
    } catch (error) {
      // The Service is gone. The watch will bring its deletion.
      if (isNotFound(error)) return service;
      throw error;
    }
  }
}

function isClaim({ kind }: ServiceOp): boolean {
  return kind === "CreateVirtualIp" || kind === "JoinVirtualIp";
}

interface PatchBody {
  readonly metadata?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

/** A strategic merge patch: finalizers merge by value and conditions by type, so those of others stay. */
function patchBody(
  service: ServiceView,
  op: Extract<ServiceOp, { kind: "PatchStatus" | "LeaveService" }>,
  now: string,
): PatchBody {
  switch (op.kind) {
    case "PatchStatus":
      return {
        metadata: finalizerPatch(op.finalizer),
        status: {
          conditions: [conditionPatch(service.addressReady, op.condition, now)],
          ...(op.ingress === undefined
            ? {}
            : { loadBalancer: { ingress: op.ingress.length === 0 ? null : op.ingress } }),
        },
      };
    case "LeaveService":
      return {
        metadata: finalizerPatch(op.removeFinalizer ? "remove" : undefined),
        status: {
          ...(service.addressReady === undefined
            ? {}
            : { conditions: [{ $patch: "delete", type: addressReadyCondition }] }),
          ...(op.clearIngress ? { loadBalancer: { ingress: null } } : {}),
        },
      };
  }
}

function finalizerPatch(change: "add" | "remove" | undefined): Record<string, unknown> {
  if (change === undefined) return {};
  return { [change === "add" ? "finalizers" : "$deleteFromPrimitiveList/finalizers"]: [loadBalancerFinalizer] };
}

/** Sends the time only when the status changes. Otherwise the merge keeps the present one. */
function conditionPatch(before: AddressReady | undefined, desired: AddressReady, now: string): Record<string, unknown> {
  const changes = before?.status !== desired.status;
  return { type: addressReadyCondition, ...desired, ...(changes ? { lastTransitionTime: now } : {}) };
}
