import { createHash } from "node:crypto";
import { Backoff } from "../src/clock/backoff.ts";
import { type Clock, pause, type Random } from "../src/clock/clock.ts";
import { BellhopError } from "../src/error/error.ts";
import { ApiError } from "../src/kube/api-error.ts";
import type { ApiClient } from "../src/kube/client.ts";
import { namespacePath } from "../src/kube/path.ts";
import type { Logger } from "../src/log/log.ts";

export interface HashSeedOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The namespace whose uid identifies a cluster: it exists in every one, and cannot be deleted (NamespaceLifecycle admission). */
const clusterNamespace = "kube-system";

/** Without the right to read that namespace, all speakers of the cluster use this seed. */
export const defaultHashSeed = 0x62656c6c;

const retryBaseMs = 500;
const retryMaxMs = 5_000;

/** What identifies the cluster. */
export interface ClusterIdentity {
  /** The uid of the namespace kube-system; empty without the right to read it. */
  readonly uid: string;
  /** The seed of the hashes that choose endpoints. */
  readonly hashSeed: number;
}

/** The seed for a cluster's uid: 32 bits, never 0. */
export function hashSeedOf(uid: string): number {
  return createHash("sha256").update(uid).digest().readUInt32BE(0) || 1;
}

/**
 * The uid of the cluster, and the seed that is made from it, so that every speaker makes the same choices, always, and clients outside the cluster
 * cannot compute them. Tries until the API server answers. Undefined once the signal is aborted.
 */
export async function readCluster(options: HashSeedOptions, signal: AbortSignal): Promise<ClusterIdentity | undefined> {
  const unknown = { uid: "", hashSeed: defaultHashSeed };
  const { client, clock, random, log } = options;
  const backoff = new Backoff(retryBaseMs, retryMaxMs, random);
  while (!signal.aborted) {
    try {
      const { body } = await client.request({ method: "GET", path: namespacePath(clusterNamespace) });
      const { metadata } = body as { readonly metadata?: { readonly uid?: unknown } };
      const { uid } = metadata ?? {};
      return typeof uid === "string" ? { uid, hashSeed: hashSeedOf(uid) } : unknown;
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) {
        log.warn({ err: error }, "cannot read the uid of the cluster; endpoints are chosen by a fixed seed");
        return unknown;
      }
      const retryMs = backoff.nextMs();
      log.warn({ err: error, retryMs }, "cannot read the uid of the cluster; trying again");
      await pause(clock, retryMs, signal);
    }
  }
  return undefined;
}
