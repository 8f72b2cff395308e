import { type Clock, pause } from "../../src/clock/clock.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { ownPath, servicePath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { releasePatch, releaseService } from "./service-release.ts";

export interface ReleaseDeletedOptions {
  readonly client: ApiClient;
  /** The Services that are known at this moment. */
  readonly services: () => Iterable<ServiceView>;
  readonly clock: Clock;
  readonly log: Logger;
}

const lookMs = 10_000;

/**
 * For a controller that cannot start its work, because a kind of Bellhop does not exist: removes the finalizer from Services that are being
 * deleted and that we served (`releaseService`), so that they and their namespaces can go. Does nothing to any other Service, because claims that
 * cannot be read are not claims that are gone. Runs until the signal is aborted. More than one controller may do it.
 */
export async function releaseDeletedServices(options: ReleaseDeletedOptions, signal: AbortSignal): Promise<void> {
  const { client, services, clock, log } = options;
  while (!signal.aborted) {
    const releases = [...services()]
      .filter(({ deleting }) => deleting)
      .flatMap((service) => releaseService(service, []) ?? [])
      .filter(({ removeFinalizer }) => removeFinalizer);
    // No request while no Service waits for it.
    if (releases.length > 0 && (await isKindMissing(client, log))) {
      for (const release of releases) {
        if (signal.aborted) return;
        const { key, namespace, name } = release.service;
        try {
          const path = `${servicePath(namespace, name)}/status`;
          await client.request({
            method: "PATCH",
            path,
            body: releasePatch(release),
            contentType: patchTypes.strategic,
          });
          log.warn({ service: key }, "released a Service that is being deleted, although a kind of Bellhop is missing");
        } catch (error) {
          if (!isNotFound(error) && !isConflict(error))
            log.warn({ service: key, err: error }, "cannot release a Service");
        }
      }
    }
    await pause(clock, lookMs, signal);
  }
}

/** Whether the API server does not know one of Bellhop's own kinds. An empty collection is not a missing one. */
async function isKindMissing(client: ApiClient, log: Logger): Promise<boolean> {
  for (const plural of ["virtualips", "ipaddresspools", "l2advertisements", "speakers"] as const) {
    try {
      await client.request({ method: "GET", path: ownPath(plural), query: { limit: "1" } });
    } catch (error) {
      if (isNotFound(error)) return true;
      log.debug({ err: error, kind: plural }, "cannot check whether a kind exists");
      return false;
    }
  }
  return false;
}
