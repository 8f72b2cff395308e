import { AddressAllocations } from "../../controller/allocate/address-allocations.ts";
import { createControllerMetrics } from "../../controller/metrics.ts";
import { createDataplaneMetrics } from "../../speaker/dataplane/metrics.ts";
import { createSpeakerMetrics, showResponderCounters } from "../../speaker/metrics.ts";
import { Counters } from "../../speaker/responder/counters.ts";
import { createEventMetrics } from "../../src/kube/event-recorder.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { createRegistry, type Registry, showVersion } from "../../src/metrics/registry.ts";

/** A registry as the controller fills it, with nothing counted. Connects to nothing and leaves out the metrics of the process. */
export function controllerRegistry(): Registry {
  const registry = createRegistry();
  showVersion(registry, "");
  createKubeMetrics(registry);
  createEventMetrics(registry);
  createControllerMetrics(registry, {
    allocations: new AddressAllocations(),
    outside: () => [],
    pendingByReason: () => new Map(),
    queues: () => [],
    liveSpeakers: () => 0,
    ownersByNode: () => new Map(),
  });
  return registry;
}

/** The same for the speaker. */
export function speakerRegistry(): Registry {
  const registry = createRegistry();
  showVersion(registry, "");
  createKubeMetrics(registry);
  createSpeakerMetrics(registry, { announced: () => 0, conflicts: () => 0 });
  createDataplaneMetrics(registry);
  showResponderCounters(registry, new Counters());
  return registry;
}
