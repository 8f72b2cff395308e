import { componentLabel, speakerComponent } from "../../src/api/labels.ts";
import { speakerLeaseName } from "../../src/api/speaker.ts";
import { type Clock, pause } from "../../src/clock/clock.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { type Lease, LeaseClient, renewTimeText } from "../../src/kube/lease.ts";
import type { Logger } from "../../src/log/log.ts";

export interface LeaseOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after each attempt. */
  readonly onAttempt: (result: "renewed" | "failed") => void;
}

/** The speaker counts as dead when its lease was not renewed for this long. */
const leaseSeconds = 6;
const renewMs = 2_000;
/** The wait after a failure, and the longest wait for an answer: two more attempts fit into the lease. */
const retryMs = 1_000;
const timeoutMs = 2_000;

/**
 * Renews the speaker's Lease until aborted. A failure is tried again and changes nothing else: without the API server the node
 * continues with what it knows. Does not release the lease at the end: a speaker that is merely restarted keeps its addresses.
 */
export async function keepLease(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, onAttempt } = options;
  const leases = new LeaseClient(options.client, options.namespace, speakerLeaseName(options.node));
  let held: Lease | undefined;
  let failing = false;
  while (!signal.aborted) {
    try {
      held = await renew(options, leases, held);
      onAttempt("renewed");
      if (failing) log.info("the lease can be renewed again");
      failing = false;
    } catch (error) {
      held = undefined;
      onAttempt("failed");
      if (!failing) log.warn({ err: error }, "cannot renew the lease; trying again");
      failing = true;
    }
    await pause(clock, failing ? retryMs : renewMs, signal);
  }
}

/** Writes the lease; `held` as it was last written, or unknown. */
async function renew(options: LeaseOptions, leases: LeaseClient, held: Lease | undefined): Promise<Lease> {
  const known = held ?? (await leases.read(timeoutMs));
  const spec = {
    ...known?.spec,
    holderIdentity: options.node,
    leaseDurationSeconds: leaseSeconds,
    renewTime: renewTimeText(options.clock.wallMs(), known?.spec?.renewTime),
  };
  if (known === undefined) return leases.create(spec, timeoutMs, { [componentLabel]: speakerComponent });
  try {
    return await leases.replace(known, spec, timeoutMs);
  } catch (error) {
    // It was changed or deleted by another client: read what is there and write once more.
    if (held === undefined || !(isConflict(error) || isNotFound(error))) throw error;
    return renew(options, leases, undefined);
  }
}
