import assert from "node:assert/strict";
import { afterEach, beforeEach } from "node:test";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { isAlreadyExists } from "../../../../src/kube/api-error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { createKubeMetrics } from "../../../../src/kube/metrics.ts";
import { createReflector, type Reflector } from "../../../../src/kube/reflector.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

/** Where the tests create ConfigMaps. */
export const path = "/api/v1/namespaces/default/configmaps";

interface View {
  readonly name: string;
  readonly value: string;
}

/** A reflector of ConfigMaps, and the API server that it watches. */
class WatchedConfigMaps {
  server = new FakeApiServer();
  clock = new FakeClock();
  metrics = createKubeMetrics(createRegistry());
  aborter = new AbortController();
  /** What the reflector tells: keys, with what their views are then. */
  changes: string[] = [];
  invalid: string[] = [];
  /* Of the reflector that `start` makes. */
  freshness: "consistent" | "cached" = "consistent";
  relistSpreadMs = 0;
  optional = false;
  keepsLastView = false;
  reflector = this.createOne();
  running: Promise<void> = Promise.resolve();

  createOne(): Reflector<View> {
    return createReflector<View>({
      client: this.server,
      freshness: this.freshness,
      relistSpreadMs: this.relistSpreadMs,
      optional: this.optional,
      keepsLastView: this.keepsLastView,
      resource: "configmaps",
      path: "/api/v1/configmaps",
      project: (raw) => {
        const { metadata, data } = raw as { metadata: { name: string }; data?: { value?: string } };
        if (data?.value === "hidden") return undefined;
        if (data?.value === "throws") throw new Error(`${metadata.name} is poison`);
        if (data?.value === "broken") return new InvalidObject(`data.value of ${metadata.name} is broken`);
        return { name: metadata.name, value: data?.value ?? "" };
      },
      onChange: (key) => this.changes.push(`${key}=${this.reflector.views.get(key)?.value ?? "gone"}`),
      onInvalid: (_key, fault) => this.invalid.push(fault?.message ?? "forgiven"),
      clock: this.clock,
      random: () => 0.5,
      log: silentLogger,
      metrics: this.metrics,
    });
  }

  async start(): Promise<void> {
    this.reflector = this.createOne();
    this.running = this.reflector.run(this.aborter.signal);
    await settle();
  }

  async put(name: string, value: string): Promise<void> {
    const body = { metadata: { name }, data: { value } };
    try {
      await this.server.request({ method: "POST", path, body });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.server.request({ method: "PUT", path: `${path}/${name}`, body });
    }
    await settle();
  }

  async remove(name: string): Promise<void> {
    await this.server.request({ method: "DELETE", path: `${path}/${name}` });
    await settle();
  }

  async failuresOf(kind: string): Promise<number> {
    const { values } = await this.metrics.watchFailures.get();
    return values.find((value) => value.labels.kind === kind)?.value ?? 0;
  }

  async stop(): Promise<void> {
    this.aborter.abort();
    await this.running;
    assert.equal(this.clock.waiting, 0, "no timer is left behind");
  }
}

/** A reflector that is new for each test of the file, and stopped after it. */
export function useReflector(): WatchedConfigMaps {
  const watched = new WatchedConfigMaps();
  beforeEach(() => {
    Object.assign(watched, new WatchedConfigMaps());
  });
  afterEach(() => watched.stop());
  return watched;
}
