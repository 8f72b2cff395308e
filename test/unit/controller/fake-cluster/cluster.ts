import assert from "node:assert/strict";
import type { V1Service } from "@kubernetes/client-node";
import { parseClaim } from "../../../../controller/allocate/claim/claim.ts";
import { Controller } from "../../../../controller/controller.ts";
import { type Condition, groupVersion } from "../../../../src/api/api.ts";
import { componentLabel, speakerComponent } from "../../../../src/api/labels.ts";
import { speakerLeaseName } from "../../../../src/api/speaker.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { type Clock, pause } from "../../../../src/clock/clock.ts";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { type ApiClient, patchTypes } from "../../../../src/kube/client.ts";
import { ApiEventRecorder } from "../../../../src/kube/event-recorder.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { createKubeMetrics } from "../../../../src/kube/metrics.ts";
import { leasePath, ownPath, servicePath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry, type Registry } from "../../../../src/metrics/registry.ts";
import { type ControllerSettings, controllerSettingsSchema } from "../../../../src/settings/controller-settings.ts";

const namespace = "bellhop-system";

export interface RunningController {
  readonly controller: Controller;
  readonly registry: Registry;
  stop(): Promise<void>;
}

interface PoolAnswer {
  readonly status?: Readonly<Record<string, unknown>> & { readonly conditions?: readonly Condition[] };
}

interface Items<Item> {
  readonly items: Item[];
}

/** How long `eventually` waits, by the clock of the cluster. */
const patienceMs = 5_000;
/** Long enough for all that a controller puts off while nothing fails: counts of pools 1 s, events 2 s. */
const idleMs = 3_000;

/**
 * A fake cluster with verbs for what users and speakers do in it, and the controllers that run in it. Its clock stands still except
 * in `eventually`, `idle` and `pass`, and while a controller starts or stops; requests, watches and queues take no time by it.
 */
export class Cluster {
  #server = new FakeApiServer();
  #clock: Clock;
  readonly #running: RunningController[] = [];

  /** A benchmark takes the system's clock. */
  constructor(clock: Clock = new FakeClock()) {
    this.#clock = clock;
  }

  get server(): FakeApiServer {
    return this.#server;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Begins again with nothing in it and a clock of its own. */
  clear(): void {
    this.#server = new FakeApiServer();
    this.#clock = new FakeClock();
  }

  /** Waits until the question no longer throws; after five seconds it throws what the question threw last. */
  async eventually(question: () => Promise<unknown>): Promise<void> {
    const endMs = this.#clock.monotonicMs() + patienceMs;
    for (;;) {
      try {
        await question();
        return;
      } catch (error) {
        if (this.#clock.monotonicMs() >= endMs) throw error;
        await this.pass(5);
      }
    }
  }

  /** Lets the controllers do all that they are going to, where nothing is expected to happen. */
  async idle(): Promise<void> {
    await this.pass(idleMs);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    if (this.#clock instanceof FakeClock) await this.#clock.advance(ms);
    else await pause(this.#clock, ms);
  }

  /** Lets time pass until the work is done. */
  async #until(work: Promise<unknown>): Promise<void> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    work.then(finish, finish);
    await settle();
    while (!done) await this.pass(5);
    await work;
  }

  /**
   * Starts a controller that leads at once, or is a standby; `client` is its way to the API server, `balancedNodes` what the leader before left on the
   * Lease.
   */
  async start(
    settings: Partial<ControllerSettings> = {},
    client: ApiClient = this.server,
    leads = true,
    balancedNodes?: string,
  ): Promise<RunningController> {
    const registry = createRegistry();
    const clock = this.#clock;
    const events = new ApiEventRecorder({
      client,
      component: "bellhop-controller",
      instance: "test",
      clock,
      log: silentLogger,
      registry,
    });
    const controller = new Controller({
      createKey: () => new Uint8Array(32),
      client,
      settings: controllerSettingsSchema.parse({ namespace, instance: "test", rebalanceAfterMs: 0, ...settings }),
      events,
      clock,
      random: () => 0.5,
      log: silentLogger,
      registry,
      kubeMetrics: createKubeMetrics(registry),
    });
    const leading = new AbortController();
    const watching = new AbortController();
    const watches = controller.watch(watching.signal);
    const lead = leads ? controller.lead(leading.signal, balancedNodes) : Promise.resolve();
    await this.#until(controller.whenSynced());
    const running: RunningController = {
      controller,
      registry,
      stop: () => {
        const stop = async (): Promise<void> => {
          leading.abort();
          await lead;
          await events.flush(1_000);
          watching.abort();
          await watches;
        };
        return this.#until(stop());
      },
    };
    this.#running.push(running);
    return running;
  }

  async stopAll(): Promise<void> {
    for (const running of this.#running.splice(0)) await running.stop();
  }

  /** Writes a merge patch. */
  async patch(path: string, body: Record<string, unknown>): Promise<void> {
    await this.server.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
  }

  async addPool(name: string, addresses: readonly string[], spec: Record<string, unknown> = {}): Promise<void> {
    const body = {
      metadata: { name },
      spec: { addresses, ...spec },
    };
    await this.server.request({ method: "POST", path: ownPath("ipaddresspools"), body });
  }

  async changePool(name: string, spec: Record<string, unknown>): Promise<void> {
    const path = ownPath("ipaddresspools", name);
    await this.patch(path, { spec });
  }

  async pool(name: string): Promise<PoolAnswer> {
    const { body } = await this.server.request({ method: "GET", path: ownPath("ipaddresspools", name) });
    return body as PoolAnswer;
  }

  /** A node whose speaker is alive, on 192.0.2.0/24 and 2001:db8::/64. */
  async addNode(name: string, addresses: readonly string[] = ["192.0.2.250/24", "2001:db8::ff/64"]): Promise<void> {
    await this.server.request({ method: "POST", path: "/api/v1/nodes", body: { metadata: { name } } });
    await this.server.request({ method: "POST", path: ownPath("speakers"), body: { metadata: { name } } });
    const interfaces = [{ name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses }];
    const body = { status: { interfaces } };
    const path = `${ownPath("speakers", name)}/status`;
    await this.patch(path, body);
    const lease = {
      metadata: { name: speakerLeaseName(name), labels: { [componentLabel]: speakerComponent } },
      spec: { holderIdentity: name, leaseDurationSeconds: 3600, renewTime: "2026-01-01T00:00:00.000000Z" },
    };
    await this.server.request({ method: "POST", path: leasePath(namespace), body: lease });
  }

  /** The speaker shuts down in good order. */
  async silenceNode(name: string): Promise<void> {
    const path = leasePath(namespace, speakerLeaseName(name));
    const body = { spec: { holderIdentity: "" } };
    await this.patch(path, body);
  }

  async reviveNode(name: string): Promise<void> {
    const path = leasePath(namespace, speakerLeaseName(name));
    const body = { spec: { holderIdentity: name } };
    await this.patch(path, body);
  }

  async addService(
    name: string,
    spec: Record<string, unknown> = {},
    metadata: Record<string, unknown> = {},
  ): Promise<void> {
    const body = {
      metadata: { name, ...metadata },
      spec: {
        type: "LoadBalancer",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }],
        ...spec,
      },
    };
    await this.server.request({ method: "POST", path: "/api/v1/namespaces/default/services", body });
  }

  async changeService(name: string, patch: Record<string, unknown>): Promise<void> {
    const path = servicePath("default", name);
    await this.patch(path, patch);
  }

  async setServiceStatus(name: string, status: Record<string, unknown>): Promise<void> {
    const path = `${servicePath("default", name)}/status`;
    await this.patch(path, { status });
  }

  async deleteService(name: string): Promise<void> {
    await this.server.request({ method: "DELETE", path: servicePath("default", name) });
  }

  async services(): Promise<V1Service[]> {
    const { body } = await this.server.request({ method: "GET", path: "/api/v1/services" });
    return (body as Items<V1Service>).items;
  }

  async service(name: string): Promise<V1Service | undefined> {
    return (await this.services()).find((service) => service.metadata?.name === name);
  }

  /** The addresses that the Service shows. */
  async shown(name: string): Promise<readonly string[]> {
    const service = await this.service(name);
    return (service?.status?.loadBalancer?.ingress ?? []).map((entry) => entry.ip ?? "");
  }

  /** `status reason` of our condition. */
  async condition(name: string): Promise<string> {
    const service = await this.service(name);
    const found = service?.status?.conditions?.find((condition) => condition.type === "bellhop.dev/AddressReady");
    return found === undefined ? "none" : `${found.status} ${found.reason}`;
  }

  /** Waits until the Service shows these addresses and no others. */
  async expectShown(name: string, addresses: readonly string[]): Promise<void> {
    await this.eventually(async () => assert.deepEqual(await this.shown(name), addresses));
  }

  /** Waits for `status reason` of our condition. */
  async expectCondition(name: string, text: string): Promise<void> {
    await this.eventually(async () => assert.equal(await this.condition(name), text));
  }

  async virtualIp(address: string): Promise<VirtualIP | undefined> {
    return (await this.virtualIps()).find(({ metadata }) => metadata.name === address);
  }

  async virtualIps(): Promise<VirtualIP[]> {
    const { body } = await this.server.request({ method: "GET", path: ownPath("virtualips") });
    return (body as Items<unknown>).items.map((item) => virtualIpSchema.parse(item));
  }

  /** Without those that do not follow their schema, or have the name of another address. */
  async validVirtualIps(): Promise<VirtualIP[]> {
    const { body } = await this.server.request({ method: "GET", path: ownPath("virtualips") });
    const parsed = (body as Items<unknown>).items.map((item) => virtualIpSchema.safeParse(item));
    return parsed.flatMap(({ data }) => (data === undefined || parseClaim(data).claim === undefined ? [] : [data]));
  }

  /** Sorted. */
  async virtualIpNames(): Promise<readonly string[]> {
    return (await this.virtualIps()).map(({ metadata }) => metadata.name).sort();
  }

  async addVirtualIp(name: string, spec: Record<string, unknown>): Promise<void> {
    const body = { apiVersion: groupVersion, kind: "VirtualIP", metadata: { name }, spec };
    await this.server.request({ method: "POST", path: ownPath("virtualips"), body });
  }

  /** Reasons of the events about one object, in order. */
  async eventsOf(name: string): Promise<readonly string[]> {
    return (await this.#events(name)).map(({ reason }) => reason);
  }

  /** Their texts. */
  async eventNotesOf(name: string): Promise<readonly string[]> {
    return (await this.#events(name)).map(({ message }) => message);
  }

  async #events(name: string): Promise<readonly RecordedEvent[]> {
    const { body } = await this.server.request({ method: "GET", path: "/api/v1/namespaces/default/events" });
    return (body as Items<RecordedEvent>).items
      .filter((event) => event.involvedObject.name === name)
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
  }
}

interface RecordedEvent {
  readonly involvedObject: { readonly name: string };
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly metadata: { readonly resourceVersion: string };
}
