import { componentLabel, speakerComponent } from "../../src/api/labels.ts";
import { speakerLeaseName } from "../../src/api/speaker.ts";
import { type Clock, pause, type Random } from "../../src/clock/clock.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { type Lease, LeaseClient, renewTimeText } from "../../src/kube/lease.ts";
import type { Logger } from "../../src/log/log.ts";
import { countNodes, type LeaseTiming, leaseTimingFor } from "./lease-timing.ts";
import type { NodeOwner } from "./node-owner.ts";

export interface LeaseOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly node: string;
  /** The Node, once it is known: the Lease is deleted together with it. */
  readonly owner: Pick<NodeOwner, "references">;
  /** Whether other speakers hear this one, so that they take over without its lease. Missing: they do not. */
  readonly heard?: () => boolean;
  /** Counts each attempt. */
  readonly leaseRenewals: { inc(labels: { readonly result: "renewed" | "failed" }): void };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The wait after a failure, and the longest wait for an answer: two more attempts fit into the lease. */
const retryMs = 1_000;
const timeoutMs = 2_000;
/** client-go's lease controller draws its waits from this part more, so that nodes which start together do not stay together. */
const jitterFactor = 0.04;
/** How often the nodes are counted, on which the timing of the lease depends. */
const countMs = 10 * 60_000;
const countRetryMs = 60_000;

/**
 * Renews the speaker's Lease until aborted. A failure is tried again and changes nothing else: without the API server the node
 * continues with what it knows. Does not release the lease at the end: a speaker that is merely restarted keeps its addresses.
 * The lease lasts longer and is renewed less often the more nodes there are, and while other speakers hear this one (`leaseTimingFor`).
 */
export async function keepLease(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const { leaseRenewals, clock, random, log } = options;
  const leases = new LeaseClient(options.client, options.namespace, speakerLeaseName(options.node));
  const timing = new NodeCountTiming(options);
  let held: Lease | undefined;
  let failing = false;
  while (!signal.aborted) {
    const { leaseSeconds, renewMs } = timing.current;
    try {
      held = await renew(options, leases, leaseSeconds, held);
      timing.refresh();
      leaseRenewals.inc({ result: "renewed" });
      if (failing) log.info("the lease can be renewed again");
      failing = false;
    } catch (error) {
      held = undefined;
      leaseRenewals.inc({ result: "failed" });
      if (!failing) log.warn({ err: error }, "cannot renew the lease; trying again");
      failing = true;
    }
    await pause(clock, failing ? retryMs : renewMs * (1 + jitterFactor * random()), signal);
  }
}

/** The timing of the lease by the number of nodes when they were last counted, and by whether others hear this one. */
class NodeCountTiming {
  readonly #options: LeaseOptions;
  #dueMs: number;
  #nodes = 1;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#dueMs = options.clock.monotonicMs();
  }

  get current(): LeaseTiming {
    return leaseTimingFor(this.#nodes, this.#options.heard?.() ?? false);
  }

  /** Counts the nodes, now and then. Does not wait for the answer; until there is one, everything stays as it is. */
  refresh(): void {
    const { client, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + countMs;
    countNodes(client, timeoutMs).then(
      (nodes) => {
        const before = this.current;
        this.#nodes = nodes;
        const after = this.current;
        if (after.renewMs !== before.renewMs) log.info({ nodes, ...after }, "the timing of the lease changes");
      },
      (error: unknown) => {
        this.#dueMs = nowMs + countRetryMs;
        log.warn({ err: error }, "cannot count the nodes; the timing of the lease stays as it is");
      },
    );
  }
}

/** Writes the lease. `held`: as it was last written; undefined: unknown. */
async function renew(
  options: LeaseOptions,
  leases: LeaseClient,
  leaseSeconds: number,
  held: Lease | undefined,
): Promise<Lease> {
  const known = held ?? (await leases.read(timeoutMs));
  const spec = {
    ...known?.spec,
    holderIdentity: options.node,
    leaseDurationSeconds: leaseSeconds,
    renewTime: renewTimeText(options.clock.wallMs(), known?.spec?.renewTime),
  };
  const ownerReferences = options.owner.references;
  const owned = ownerReferences === undefined ? {} : { ownerReferences };
  if (known === undefined) {
    return leases.create(spec, timeoutMs, { labels: { [componentLabel]: speakerComponent }, ...owned });
  }
  try {
    return await leases.replace({ ...known, metadata: { ...known.metadata, ...owned } }, spec, timeoutMs);
  } catch (error) {
    // It was changed or deleted by another client: read what is there and write once more.
    if (held === undefined || !(isConflict(error) || isNotFound(error))) throw error;
    return renew(options, leases, leaseSeconds, undefined);
  }
}
