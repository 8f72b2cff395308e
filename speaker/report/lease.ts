import { componentLabel, speakerComponent } from "../../src/api/labels.ts";
import { speakerLeaseName } from "../../src/api/speaker.ts";
import { type Clock, pause } from "../../src/clock/clock.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { leasePath } from "../../src/kube/path.ts";
import { renewTimeText } from "../../src/kube/renew-time.ts";
import type { Logger } from "../../src/log/log.ts";

export interface LeaseOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every attempt. */
  readonly onAttempt: (result: "renewed" | "failed") => void;
}

/** Others take the speaker for dead when its lease was not renewed for so long. */
const leaseSeconds = 6;
const renewMs = 2_000;
/** After a failure, and for how long an answer is waited for: two more attempts fit into the lease. */
const retryMs = 1_000;
const timeoutMs = 2_000;

interface Lease {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number; readonly renewTime?: string };
}

/**
 * Renews the speaker's Lease until aborted. A failure is tried again and changes nothing else: with the API server away the node
 * goes on with what it knew. Does not give the lease up at the end: a speaker that is merely restarted keeps its addresses.
 */
export async function keepLease(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, onAttempt } = options;
  let held: Lease | undefined;
  let failing = false;
  while (!signal.aborted) {
    try {
      held = await renew(options, held);
      onAttempt("renewed");
      if (failing) log.info("the lease is renewed again");
      failing = false;
    } catch (error) {
      held = undefined;
      onAttempt("failed");
      if (!failing) log.warn({ err: error }, "the lease cannot be renewed; trying again");
      failing = true;
    }
    await pause(clock, failing ? retryMs : renewMs, signal);
  }
}

/** Writes the lease; `held` as it was last written, or unknown. */
async function renew(options: LeaseOptions, held: Lease | undefined): Promise<Lease> {
  const { namespace, node } = options;
  const name = speakerLeaseName(node);
  const path = leasePath(namespace, name);
  const known = held ?? (await read(options));
  if (known === undefined) {
    const metadata = { name, namespace, labels: { [componentLabel]: speakerComponent } };
    return write(options, "POST", leasePath(namespace), { metadata });
  }
  try {
    return await write(options, "PUT", path, known);
  } catch (error) {
    // Somebody else touched it, or it was deleted: read what is there and write once more.
    if (held === undefined || !(isConflict(error) || isNotFound(error))) throw error;
    return renew(options, undefined);
  }
}

async function read({ client, namespace, node }: LeaseOptions): Promise<Lease | undefined> {
  try {
    const path = leasePath(namespace, speakerLeaseName(node));
    return (await client.request({ method: "GET", path, timeoutMs })).body as Lease;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function write(options: LeaseOptions, method: "POST" | "PUT", path: string, lease: Lease): Promise<Lease> {
  const { client, node, clock } = options;
  const body = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: lease.metadata,
    spec: {
      ...lease.spec,
      holderIdentity: node,
      leaseDurationSeconds: leaseSeconds,
      renewTime: renewTimeText(clock.wallMs(), lease.spec?.renewTime),
    },
  };
  return (await client.request({ method, path, body, timeoutMs })).body as Lease;
}
