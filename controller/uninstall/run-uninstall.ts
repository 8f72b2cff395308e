import type { V1Service } from "@kubernetes/client-node";
import { type Clock, pause } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { ownPath, secretPath, servicePath, workloadPath } from "../../src/kube/path.ts";
import { projectService } from "../../src/model/service.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { readLeaseHolders } from "../collect/read-leases.ts";
import type { OwnObject, UninstallStep } from "./plan-uninstall.ts";
import { workloads } from "./read-uninstall-input.ts";
import { type ReleasedAddresses, releasePatch, releaseService, type ServiceRelease } from "./service-release.ts";

export interface UninstallRun {
  readonly client: ApiClient;
  /** The namespace that Bellhop runs in. */
  readonly namespace: string;
  readonly clock: Clock;
  /** Those that the plan was made from: a Service that has changed since is planned again. */
  readonly claims: readonly Claim[];
  readonly addresses: ReleasedAddresses;
}

/** How a step ended. */
export type StepResult =
  | { readonly kind: "done" }
  /** Another client has done it, or changed the Service so that nothing of ours is left. */
  | { readonly kind: "nothing to do" }
  | { readonly kind: "failed"; readonly why: string }
  /** A step before it failed. */
  | { readonly kind: "not tried" };

/** How many steps of a kind are done at once. */
const parallel = 8;

/**
 * Carries out the steps in their order, and stops after those of a kind of which one has failed. The results are in the order of the steps.
 */
export async function runUninstall(run: UninstallRun, steps: readonly UninstallStep[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (let next = 0; next < steps.length; ) {
    const kind = steps[next]?.kind;
    const rest = steps.slice(next, next + parallel);
    const batch = rest.slice(
      0,
      [...rest, undefined].findIndex((step) => step?.kind !== kind),
    );
    results.push(...(await Promise.all(batch.map((step) => tryStep(run, step)))));
    next += batch.length;
    const over = steps[next]?.kind !== kind;
    if (over && results.some((result) => result.kind === "failed")) break;
  }
  return steps.map((_, index) => results[index] ?? { kind: "not tried" });
}

async function tryStep(run: UninstallRun, step: UninstallStep): Promise<StepResult> {
  try {
    return await runStep(run, step);
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    return { kind: "failed", why: error.message };
  }
}

/** Pods that end have 10 s (deploy/base); those on a node that is gone never end. */
const podsGoneMs = 30_000;
/** A leader that was killed counts as one until its lease of 6 s has run out. */
const leaderGoneMs = 20_000;
const pollMs = 500;
/** How often a Service that others write in between is read and planned again. */
const maxConflicts = 10;

/**
 * Carries out one step. Doing it twice does no harm, so an interrupted run can be started again. Every write names the uid, and a write
 * to a Service its version. Throws what the API server refuses.
 */
async function runStep(run: UninstallRun, step: UninstallStep): Promise<StepResult> {
  switch (step.kind) {
    case "StopController":
      return stopController(run);
    case "ReleaseService":
      return release(run, step.release);
    case "DeleteVirtualIp":
      return deleteObject(run, ownPath("virtualips", step.object.name), step.object);
    case "StopSpeakers":
      return (await stopWorkload(run, "daemonsets")) ? { kind: "done" } : { kind: "nothing to do" };
    case "DeleteSpeaker":
      return deleteObject(run, ownPath("speakers", step.object.name), step.object);
    case "DeleteSpeakerIdentity":
      return deleteObject(run, ownPath("speakeridentities", step.object.name), step.object);
    case "DeleteKeySecret":
      return deleteObject(run, secretPath(run.namespace, step.object.name), step.object);
  }
}

/** Deletes the Deployment, and then waits until no controller leads, wherever it runs. */
async function stopController(run: UninstallRun): Promise<StepResult> {
  const { client, namespace, clock } = run;
  const found = await stopWorkload(run, "deployments");
  const deadlineMs = clock.monotonicMs() + leaderGoneMs;
  for (;;) {
    const { leader } = await readLeaseHolders(client, namespace, clock);
    if (leader === undefined) return { kind: found ? "done" : "nothing to do" };
    if (clock.monotonicMs() >= deadlineMs) {
      const why = `The controller ${leader} still leads and would write everything back. Stop what runs it, and start the command again.`;
      return { kind: "failed", why };
    }
    await pause(clock, pollMs);
  }
}

/** Deletes the workload and waits a while for its pods to end. Returns whether it was there. */
async function stopWorkload(
  { client, namespace, clock }: UninstallRun,
  plural: keyof typeof workloads,
): Promise<boolean> {
  const path = workloadPath(namespace, plural, workloads[plural]);
  // Foreground: the object stays until its pods are gone, which shows when they are.
  if (!(await deleteIfThere(client, path, { propagationPolicy: "Foreground" }))) return false;
  const deadlineMs = clock.monotonicMs() + podsGoneMs;
  while (clock.monotonicMs() < deadlineMs && (await getObject(client, path)) !== undefined) await pause(clock, pollMs);
  return true;
}

async function release(run: UninstallRun, planned: ServiceRelease): Promise<StepResult> {
  const { client } = run;
  const { namespace, name } = planned.service;
  let current: ServiceRelease | undefined = planned;
  for (let conflicts = 0; current !== undefined; conflicts++) {
    try {
      const path = `${servicePath(namespace, name)}/status`;
      const body = releasePatch(current);
      await client.request({ method: "PATCH", path, body, contentType: patchTypes.strategic });
      return { kind: "done" };
    } catch (error) {
      if (isNotFound(error)) return { kind: "nothing to do" };
      if (!isConflict(error) || conflicts === maxConflicts) throw error;
      current = await planAgain(run, planned);
    }
  }
  return { kind: "nothing to do" };
}

async function planAgain(
  { client, claims, addresses }: UninstallRun,
  { service: { namespace, name } }: ServiceRelease,
): Promise<ServiceRelease | undefined> {
  const service = (await getObject(client, servicePath(namespace, name))) as V1Service | undefined;
  return service === undefined ? undefined : releaseService(projectService(service), claims, addresses);
}

async function deleteObject({ client }: UninstallRun, path: string, { uid }: OwnObject): Promise<StepResult> {
  return (await deleteIfThere(client, path, { preconditions: { uid } })) ? { kind: "done" } : { kind: "nothing to do" };
}

async function deleteIfThere(client: ApiClient, path: string, body: object): Promise<boolean> {
  try {
    await client.request({ method: "DELETE", path, body });
    return true;
  } catch (error) {
    // Another uid: it was deleted, and created again by another client.
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}
