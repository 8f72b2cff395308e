import type { IpAddress } from "../../src/ip/address.ts";
import { isOurClass, type ServiceView } from "../../src/model/service.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import type { MutationCache } from "./mutation-cache.ts";
import type { ServedService, ServedServices } from "./swap.ts";

type Labels = Readonly<Record<string, string>>;

export interface ObservedServedServicesOptions {
  readonly watched: Pick<Watched, "services" | "namespaces">;
  readonly state: ClusterState;
  readonly mutations: MutationCache;
  readonly defaultClass: boolean;
}

/** The Services of ours as they are observed now, with their namespaces. */
export class ObservedServedServices implements ServedServices {
  readonly #options: ObservedServedServicesOptions;

  constructor(options: ObservedServedServicesOptions) {
    this.#options = options;
  }

  /**
   * Labels of the Service's namespace. Undefined: they decide what the Service gets, but the watch has not shown the namespace yet.
   * A Service of a namespace without labels would get addresses of other pools.
   */
  namespaceLabels(service: ServiceView | undefined): Labels | undefined {
    const { state, watched } = this.#options;
    const labels = watched.namespaces.views.get(service?.namespace ?? "")?.labels;
    const leaves = service === undefined || service.deleting || service.type !== "LoadBalancer";
    if (labels !== undefined || leaves) return labels ?? {};
    const decide = state.currentAllocations().pools.some(({ namespaceSelectors }) => namespaceSelectors.length > 0);
    return decide ? undefined : {};
  }

  of(key: string): ServedService | undefined {
    const { watched, mutations, defaultClass } = this.#options;
    const service = mutations.newest(key, watched.services.views.get(key));
    const namespaceLabels = this.namespaceLabels(service);
    const served = service?.type === "LoadBalancer" && !service.deleting && isOurClass(service, defaultClass);
    return served && namespaceLabels !== undefined ? { service, namespaceLabels } : undefined;
  }

  requesting(address: IpAddress): Iterable<string> {
    return this.#options.state.services.requested.of(address);
  }
}
