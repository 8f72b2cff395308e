import type { V1Service } from "@kubernetes/client-node";
import { timeText } from "../../src/api/api.ts";
import { addressReadyCondition } from "../../src/api/labels.ts";
import { type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { patchTypes } from "../../src/kube/client.ts";
import { type EventRecorder, serviceSubject } from "../../src/kube/event.ts";
import { servicePath } from "../../src/kube/path.ts";
import { type AddressReady, loadBalancerFinalizer, projectService, type ServiceView } from "../../src/model/service.ts";
import { isHeldBy } from "../allocate/claim/claim.ts";
import { ClaimWriter, type ClaimWriterOptions } from "./claim-writer.ts";
import type { MutationCache } from "./mutation-cache.ts";
import type { ServiceOp } from "./plan-service.ts";
import { isCertainlyLeaving, isUnchanged } from "./service-check.ts";

export interface ServiceWriterOptions extends ClaimWriterOptions {
  readonly events: EventRecorder;
  /** Whether an annotation of another system counts, as in the watched views. */
  readonly keepsAnnotation: ((name: string) => boolean) | undefined;
  /** Remembers Services as our own writes left them. */
  readonly mutations: MutationCache;
}

/**
 * `replan`: the cluster was not as planned; plan again from what the allocations now know. `outdated`: the Service has another form by now
 * than the one that was planned for; plan again when the watch has brought it.
 */
export type WriteResult = "done" | "replan" | "outdated";

/**
 * Carries out the ops of one Service, one after the other. Every write names the version or the uid that it was planned for, or
 * creates under a name that is unique, and no claim is let go, or made without a patch to follow, on the word of an old view of the
 * Service, so that a stale plan fails instead of doing harm. Throws what the API server refuses.
 */
export class ServiceWriter {
  readonly #options: ServiceWriterOptions;
  readonly #claims: ClaimWriter;

  constructor(options: ServiceWriterOptions) {
    this.#options = options;
    this.#claims = new ClaimWriter(options);
  }

  /** Notes in the allocations what is about to be claimed. Call it in the same turn as the planning. */
  assume(service: ServiceView, ops: readonly ServiceOp[]): void {
    for (const op of ops) this.#claims.assume(service, op);
  }

  /**
   * Addresses that the Service shows, that the ops take from it, and that the allocations does not know as its own. Somebody may have
   * claimed them for it whose claim we have not heard of yet: ask before it loses what it has.
   */
  findUnconfirmed(service: ServiceView | undefined, ops: readonly ServiceOp[]): readonly IpAddress[] {
    const shown = ops.flatMap((op) => (op.kind === "PatchStatus" && op.ingress !== undefined ? [op.ingress] : []))[0];
    if (service === undefined || shown === undefined) return [];
    const lost = service.ingress.filter(({ ip }) => !shown.some((entry) => entry.ip === ip));
    return lost.flatMap(({ ip }) => parseAddress(ip) ?? []).filter((address) => !this.#isHeld(service, address));
  }

  /** Asks the API server who has the address, and notes it in the allocations; gives whether it is this Service. */
  async lookUp(service: ServiceView, address: IpAddress): Promise<boolean> {
    await this.#claims.refresh(virtualIpName(address));
    return this.#isHeld(service, address);
  }

  #isHeld(service: ServiceView, address: IpAddress): boolean {
    const claim = this.#options.allocations.claimAt(address);
    return claim !== undefined && isHeldBy(claim, service);
  }

  async write(key: string, service: ServiceView | undefined, ops: readonly ServiceOp[]): Promise<WriteResult> {
    let newest = service;
    const patches = ops.some(({ kind }) => kind === "PatchStatus");
    // Whether the API server itself has said that the Service is as planned for; a patch that it takes says so too.
    let confirmed = false;
    for (const op of ops) {
      const needsCheck =
        op.kind === "ReleaseVirtualIp" ? !isCertainlyLeaving(newest, op.claim) : isClaim(op) && !patches;
      if (needsCheck) confirmed ||= await isUnchanged(this.#options.client, key, newest);
      if (needsCheck && !confirmed) return "outdated";
      if (op.kind === "ReleaseVirtualIp") {
        if (!(await this.#claims.release(op.claim, key, op.holdMs))) return "replan";
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
    const { client, keepsAnnotation, mutations, clock } = this.#options;
    const { metadata = {}, status } = patchBody(service, op, timeText(clock.wallMs()));
    const body = {
      metadata: { ...metadata, uid: service.uid, resourceVersion: service.resourceVersion },
      ...(status === undefined ? {} : { status }),
    };
    const path = `${servicePath(service.namespace, service.name)}/status`;
    try {
      const answer = await client.request({ method: "PATCH", path, body, contentType: patchTypes.strategic });
      const after = projectService(answer.body as V1Service, keepsAnnotation);
      mutations.written(service, after);
      return after;
    } catch (error) {
      // The Service is gone: nothing left to write, and its deletion is on its way to us.
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

/** Strategic merge: finalizers and conditions are merged by value and by type, so those of others are left alone. */
function patchBody(
  service: ServiceView,
  op: Extract<ServiceOp, { kind: "PatchStatus" | "LeaveService" }>,
  now: string,
): PatchBody {
  switch (op.kind) {
    case "PatchStatus":
      return {
        ...(op.addFinalizer ? { metadata: { finalizers: [loadBalancerFinalizer] } } : {}),
        status: {
          conditions: [conditionPatch(service.addressReady, op.condition, now)],
          ...(op.ingress === undefined
            ? {}
            : { loadBalancer: { ingress: op.ingress.length === 0 ? null : op.ingress } }),
        },
      };
    case "LeaveService":
      return {
        metadata: op.removeFinalizer ? { "$deleteFromPrimitiveList/finalizers": [loadBalancerFinalizer] } : {},
        status: {
          ...(service.addressReady === undefined
            ? {}
            : { conditions: [{ $patch: "delete", type: addressReadyCondition }] }),
          ...(op.clearIngress ? { loadBalancer: { ingress: null } } : {}),
        },
      };
  }
}

/** The time is sent only when the status changes; else the merge keeps the one that stands. */
function conditionPatch(before: AddressReady | undefined, wanted: AddressReady, now: string): Record<string, unknown> {
  const changes = before?.status !== wanted.status;
  return { type: addressReadyCondition, ...wanted, ...(changes ? { lastTransitionTime: now } : {}) };
}
