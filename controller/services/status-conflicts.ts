import { createHash } from "node:crypto";
import type { V1Service } from "@kubernetes/client-node";
import type { Clock } from "../../src/clock/clock.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { servicePath } from "../../src/kube/path.ts";
import { ingressManager } from "../../src/model/ingress-manager.ts";
import type { IngressEntry, ServiceView } from "../../src/model/service.ts";
import { isAssignedByBellhop, namesAssigned } from "../allocate/claim/assigned-condition.ts";
import { ingressText } from "./ingress.ts";
import type { ServiceOp } from "./service-plan.ts";

/** Another client that writes the addresses of a Service of ours. */
interface Conflict {
  /** How often it has replaced what we had written. */
  readonly count: number;
  /** The version of the Service that was counted last: a write that is tried again is not counted again. */
  readonly version: string;
  readonly lastMs: number;
  /** The name by which the API server knows it. Undefined: not read yet. */
  readonly manager: string | undefined;
}

/** As often within the window another client must have replaced our addresses. Once may be a mistake of a user. */
const reportedCount = 2;
/** A conflict is over when nothing was replaced for this long. The next resync then corrects the condition. */
const windowMs = 10 * 60_000;
/** What to say where the API server does not tell. */
const unknownManager = "an unknown client";

/** Notices that another client replaces the addresses that we write into the status of a Service, and who it is. */
export class StatusConflicts {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #conflicts = new Map<string, Conflict>();
  /** A digest of the addresses that we wrote last, by key of the Service. */
  readonly #written = new Map<string, string>();

  constructor(client: ApiClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The other client, while the conflict lasts. */
  managerOf(serviceKey: string): string | undefined {
    const conflict = this.#conflicts.get(serviceKey);
    if (conflict === undefined) return undefined;
    if (this.#clock.monotonicMs() - conflict.lastMs <= windowMs) return conflict.manager;
    this.#conflicts.delete(serviceKey);
    return undefined;
  }

  /**
   * Counts what another client has replaced. Call it before the ops are written. Returns whether the Service has a conflict that is not
   * known yet: call `identify` then, while the other client's addresses are still in the status, and plan the Service again.
   */
  observe(service: ServiceView, ops: readonly ServiceOp[]): boolean {
    const { key, resourceVersion: version } = service;
    const ingress = ingressIn(ops);
    if (ingress === undefined || ingress.length === 0) return false;
    if (this.#written.get(key) !== digestOf(ingress) && !isReplaced(service, ingress)) return false;
    const manager = this.managerOf(key);
    const before = this.#conflicts.get(key);
    const count = (before?.count ?? 0) + (before?.version === version ? 0 : 1);
    this.#conflicts.set(key, { count, version, lastMs: this.#clock.monotonicMs(), manager });
    return manager === undefined && count >= reportedCount;
  }

  /** Records what was written: if the same has to be written again, another client has replaced it, in whichever way. */
  recordWritten(serviceKey: string, ops: readonly ServiceOp[]): void {
    const ingress = ingressIn(ops);
    if (ingress !== undefined) this.#written.set(serviceKey, digestOf(ingress));
  }

  /** Asks the API server for the name of the other client. */
  async identify(service: ServiceView): Promise<void> {
    const manager = await this.#readManager(service);
    const conflict = this.#conflicts.get(service.key);
    if (conflict !== undefined) this.#conflicts.set(service.key, { ...conflict, manager });
  }

  /** Call it when a term begins: what happened since the last one was not followed. */
  clear(): void {
    this.#conflicts.clear();
    this.#written.clear();
  }

  forget(serviceKey: string): void {
    this.#conflicts.delete(serviceKey);
    this.#written.delete(serviceKey);
  }

  async #readManager({ namespace, name }: ServiceView): Promise<string> {
    const service = (await getObject(this.#client, servicePath(namespace, name))) as V1Service | undefined;
    return ingressManager(service?.metadata?.managedFields ?? []) ?? unknownManager;
  }
}

/** The addresses that the ops write. Undefined: they write none. */
function ingressIn(ops: readonly ServiceOp[]): readonly IngressEntry[] | undefined {
  return ops.flatMap((op) => (op.kind === "PatchStatus" && op.ingress !== undefined ? [op.ingress] : []))[0];
}

function digestOf(ingress: readonly IngressEntry[]): string {
  return createHash("sha256").update(ingressText(ingress)).digest("base64url");
}

/**
 * Whether these addresses are the ones that the condition says we assigned, and the status no longer shows all of them. So it is known even
 * where an earlier leader has written them.
 */
function isReplaced(service: ServiceView, ingress: readonly IngressEntry[]): boolean {
  if (!isAssignedByBellhop(service)) return false;
  const shown = service.ingress.map(({ ip }) => ip);
  const assigned = ingress.every(({ ip }) => {
    const address = parseAddress(ip);
    return address !== undefined && namesAssigned(service, address);
  });
  return assigned && ingress.some(({ ip }) => !shown.includes(ip));
}
