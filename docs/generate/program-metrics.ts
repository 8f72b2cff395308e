import { Controller } from "../../controller/controller.ts";
import { createDataplaneMetrics } from "../../speaker/dataplane/metrics.ts";
import { createSpeakerMetrics, registerSpeakerGauges } from "../../speaker/metrics.ts";
import { Counters } from "../../speaker/responder/counters.ts";
import { FakeClock } from "../../src/clock/fake.ts";
import { createEventMetrics } from "../../src/kube/event-recorder.ts";
import { FakeApiServer } from "../../src/kube/fake.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { silentLogger } from "../../src/log/log.ts";
import { createRegistry, type Registry, showVersion } from "../../src/metrics/registry.ts";
import { controllerSettingsSchema } from "../../src/settings/controller-settings.ts";

/** A registry as the controller fills it, with nothing counted. Connects to nothing and leaves out the metrics of the process. */
export function controllerRegistry(): Registry {
  const registry = createRegistry();
  showVersion(registry, "");
  createEventMetrics(registry);
  new Controller({
    createKey: () => new Uint8Array(32),
    client: new FakeApiServer(),
    settings: controllerSettingsSchema.parse({ instance: "docs", namespace: "docs" }),
    events: { record: () => undefined },
    clock: new FakeClock(),
    random: () => 0,
    log: silentLogger,
    registry,
    kubeMetrics: createKubeMetrics(registry),
  });
  return registry;
}

/** The same for the speaker. */
export function speakerRegistry(): Registry {
  const registry = createRegistry();
  showVersion(registry, "");
  createKubeMetrics(registry);
  createEventMetrics(registry);
  createSpeakerMetrics(registry);
  createDataplaneMetrics(registry);
  registerSpeakerGauges(registry, {
    announcer: { addressCount: 0, conflictCount: 0 },
    responder: { counters: new Counters() },
    checks: { faults: [] },
    peers: { heardCount: 0, lostCount: 0, isolated: false },
  });
  return registry;
}
