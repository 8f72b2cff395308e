import { Backoff } from "../clock/backoff.ts";
import { type Clock, pause, type Random } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";
import { ApiError } from "../kube/api-error.ts";
import type { ApiClient } from "../kube/client.ts";
import type { Logger } from "../log/log.ts";

/**
 * The oldest Kubernetes that Bellhop runs on. The rules in its CustomResourceDefinitions call isIP and isCIDR, which came with 1.30; an API
 * server accepts in new objects what its previous minor version supported (k8s.io/apiserver, pkg/cel/environment/base.go).
 */
export const minimumKubernetes = { major: 1, minor: 31 } as const;

const retryBaseMs = 1_000;
const retryMaxMs = 60_000;

export interface VersionCheckOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Requests the version of the API server until it answers or the signal is aborted. Throws ConfigurationInvalid when Kubernetes is too
 * old. An API server that refuses to report its version, as in a hardened cluster, counts as new enough, and that is logged.
 */
export async function requireKubernetes(options: VersionCheckOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log } = options;
  const backoff = new Backoff(retryBaseMs, retryMaxMs, random);
  while (!signal.aborted) {
    try {
      const refusal = versionRefusal((await client.request({ method: "GET", path: "/version" })).body);
      if (refusal !== undefined) throw new BellhopError("ConfigurationInvalid", refusal);
      return;
    } catch (error) {
      if (error instanceof BellhopError && error.code === "ConfigurationInvalid") throw error;
      if (error instanceof ApiError && [401, 403, 404].includes(error.status)) {
        log.warn({ err: error }, "cannot check the version of Kubernetes: the API server does not tell it");
        return;
      }
      await pause(clock, backoff.nextMs(), signal);
    }
  }
}

/** Why the API server with this answer to GET /version (version.Info of k8s.io/apimachinery) is too old; undefined: it is not. */
export function versionRefusal(info: unknown): string | undefined {
  const { major, minor, gitVersion } = (info ?? {}) as Readonly<Record<string, unknown>>;
  // Providers write a minor version such as "31+".
  const [present, second] = [Number.parseInt(String(major), 10), Number.parseInt(String(minor), 10)];
  if (Number.isNaN(present) || Number.isNaN(second)) return undefined;
  const minimum = minimumKubernetes;
  if (present > minimum.major || (present === minimum.major && second >= minimum.minor)) return undefined;
  const name = typeof gitVersion === "string" ? gitVersion : `${present}.${second}`;
  return `Kubernetes ${name} is too old: Bellhop needs ${minimum.major}.${minimum.minor} or newer. Upgrade the cluster.`;
}
