import type { Clock, Random } from "../../src/clock/clock.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import type { KubeMetrics } from "../../src/kube/metrics.ts";
import { createReflector, type Reflector, type ReflectorOptions } from "../../src/kube/reflector.ts";
import type { Logger } from "../../src/log/log.ts";
import type { ChangeListener } from "./change-feed.ts";
import { JoinedReflector } from "./joined-reflector.ts";
import {
  createSources,
  foreignKey,
  nameOf,
  type Source,
  type SourceOptions,
  type Sources,
  type ViewOf,
  type WatchedResource,
} from "./sources.ts";

/** A reflector for each source. */
export type Watches = { readonly [Resource in WatchedResource]: Reflector<ViewOf<Sources[Resource]>> };

export interface WatchesOptions extends SourceOptions {
  readonly client: ApiClient;
  /** Where the Leases of the speakers are. */
  readonly namespace: string;
  /** Receives every change. */
  readonly changes: ChangeListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** Creates the reflectors. They do not run yet. */
export function createWatches(options: WatchesOptions): Watches {
  const { client, changes, clock, random, log, metrics } = options;
  const reflect = <View>(name: string, source: Source<View>, handlers: ChangeHandlers): Reflector<View> =>
    createReflector({
      client,
      resource: name,
      path: source.path,
      query: source.query ?? {},
      optional: source.optional ?? false,
      freshness: source.freshness ?? "consistent",
      project: source.project,
      ...handlers,
      clock,
      random,
      log,
      metrics,
    });
  const watch = <Resource extends WatchedResource>(
    resource: Resource,
    source: Source<ViewOf<Sources[Resource]>>,
  ): Reflector<ViewOf<Sources[Resource]>> => {
    const onChange = (key: string): void => changes.changed(resource, key);
    const onInvalid: ChangeHandlers["onInvalid"] = (key, invalid, raw) => changes.invalid(resource, key, invalid, raw);
    if (source.fallback === undefined) return reflect(resource, source, { onChange, onInvalid });
    const { fallback } = source;
    return new JoinedReflector<ViewOf<Sources[Resource]>>(onChange, (changed) => [
      reflect(resource, source, { onChange: changed, onInvalid }),
      reflect(`${resource} of others`, fallback, {
        onChange: changed,
        onInvalid: (name, invalid, raw) => changes.invalid(resource, foreignKey(name), invalid, raw),
        keyOf: nameOf,
      }),
    ]);
  };
  const sources = createSources(options.namespace, options);
  return {
    services: watch("services", sources.services),
    pools: watch("pools", sources.pools),
    advertisements: watch("advertisements", sources.advertisements),
    virtualIps: watch("virtualIps", sources.virtualIps),
    speakers: watch("speakers", sources.speakers),
    nodes: watch("nodes", sources.nodes),
    slices: watch("slices", sources.slices),
    leases: watch("leases", sources.leases),
    namespaces: watch("namespaces", sources.namespaces),
    serviceCidrs: watch("serviceCidrs", sources.serviceCidrs),
  };
}

type ChangeHandlers = Pick<ReflectorOptions<unknown>, "onChange" | "onInvalid" | "keyOf">;

export function eachWatch(watches: Watches): readonly (readonly [WatchedResource, Reflector<unknown>])[] {
  return Object.entries(watches) as [WatchedResource, Reflector<unknown>][];
}
