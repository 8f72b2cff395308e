import type { V1Lease } from "@kubernetes/client-node";
import { leaderLeaseName } from "../../src/api/labels.ts";
import { type Clock, pause } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { listCollection } from "../../src/kube/list.ts";
import { leasePath } from "../../src/kube/path.ts";
import { projectSpeakerLease } from "../../src/model/lease.ts";

/** The processes that hold their Lease. */
export interface LeaseHolders {
  /** Nodes whose speaker renews its Lease. */
  readonly live: ReadonlySet<string>;
  /** Nodes whose speaker has a Lease, whether it renews it or not. */
  readonly held: ReadonlySet<string>;
  /** Identity of the controller that leads. Undefined: none does. */
  readonly leader: string | undefined;
}

/**
 * A holder renews at least each third of its lease (speaker/report/lease-timing.ts, src/kube/leader-election.ts), or each half in a large
 * cluster. One that has not renewed while we observed it for two thirds is gone.
 */
const observedPart = 2 / 3;
const pollMs = 500;
/** If another lease shows that our clock is about right, one that is older than this is not observed. */
const expiredMs = 30_000;

/**
 * Reads the leases once if their times make sense by our clock. Those that look expired are read again for a few seconds, because our
 * clock may be wrong: a lease that changes meanwhile is held. Throws what the client throws.
 */
export async function readLeaseHolders(client: ApiClient, namespace: string, clock: Clock): Promise<LeaseHolders> {
  const first = await readHeld(client, namespace);
  const nowMs = clock.wallMs();
  const alive = new Set([...first].filter(([, lease]) => isFresh(lease, nowMs)).map(([name]) => name));
  const unconfirmed = [...first].filter(([name, lease]) => {
    return !alive.has(name) && (alive.size === 0 || Math.abs(ageMs(lease, nowMs)) < expiredMs);
  });
  const observeMs = unconfirmed.map(([, lease]) => durationMs(lease) * observedPart);
  const deadlineMs = clock.monotonicMs() + Math.max(0, ...observeMs);
  while (unconfirmed.some(([name]) => !alive.has(name)) && clock.monotonicMs() < deadlineMs) {
    await pause(clock, pollMs);
    for (const [name, lease] of await readHeld(client, namespace)) {
      if (renewalOf(lease) !== renewalOf(first.get(name))) alive.add(name);
    }
  }
  return {
    live: nodesOf(alive),
    held: nodesOf(first.keys()),
    leader: alive.has(leaderLeaseName) ? first.get(leaderLeaseName)?.spec?.holderIdentity : undefined,
  };
}

/** The nodes of those of the Leases that are of speakers. */
function nodesOf(names: Iterable<string>): ReadonlySet<string> {
  const speakers = [...names].flatMap((name) => projectSpeakerLease({ metadata: { name } }) ?? []);
  return new Set(speakers.map(({ node }) => node));
}

/** Leases with a holder, by name. */
async function readHeld(client: ApiClient, namespace: string): Promise<ReadonlyMap<string, V1Lease>> {
  try {
    const held = new Map<string, V1Lease>();
    const take = (raw: unknown): void => {
      const lease = raw as V1Lease;
      if ((lease.spec?.holderIdentity ?? "") !== "") held.set(lease.metadata?.name ?? "", lease);
    };
    await listCollection(client, { path: leasePath(namespace), take });
    return held;
  } catch (error) {
    if (isNotFound(error)) return new Map();
    throw error;
  }
}

function isFresh(lease: V1Lease, nowMs: number): boolean {
  return Math.abs(ageMs(lease, nowMs)) < durationMs(lease);
}

function durationMs(lease: V1Lease): number {
  return (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
}

/** NaN where the lease was never renewed. */
function ageMs(lease: V1Lease, nowMs: number): number {
  return nowMs - Date.parse(String(lease.spec?.renewTime));
}

function renewalOf(lease: V1Lease | undefined): string {
  return `${String(lease?.spec?.renewTime)} ${lease?.metadata?.resourceVersion ?? ""}`;
}
