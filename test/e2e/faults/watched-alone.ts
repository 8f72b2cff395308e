import { systemClock } from "../../../src/clock/clock.ts";
import { HttpsClient } from "../../../src/kube/https-client.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createReflector, type Reflector } from "../../../src/kube/reflector.ts";
import { silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { FaultProxy } from "./proxy.ts";

/** The product's own reflector and client, which read one collection through a proxy of their own and write nothing. */
export class WatchedAlone {
  readonly proxy: FaultProxy;
  readonly #metrics = createKubeMetrics(createRegistry());
  readonly #reflector: Reflector<unknown>;
  readonly #client: HttpsClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(proxy: FaultProxy, server: string, path: string) {
    this.proxy = proxy;
    const credentials = { server, tls: {}, authorization: () => Promise.resolve(undefined) };
    this.#client = new HttpsClient({ credentials, userAgent: "bellhop-faults", clock: systemClock });
    this.#reflector = createReflector<unknown>({
      client: this.#client,
      resource: path,
      path,
      project: (raw) => raw,
      onChange: () => {},
      clock: systemClock,
      random: Math.random,
      log: silentLogger,
      metrics: this.#metrics,
    });
    this.#running = this.#reflector.run(this.#stop.signal);
  }

  /** Resolves when the collection is read and its watch stands. */
  static async start(apiSocket: string, path: string): Promise<WatchedAlone> {
    const proxy = new FaultProxy(apiSocket);
    const watched = new WatchedAlone(proxy, await proxy.listen(), path);
    while (watched.#reflector.connectedSinceMs === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    return watched;
  }

  has(key: string): boolean {
    return this.#reflector.views.has(key);
  }

  /** How long the present watch has stood. */
  get standsForMs(): number {
    return systemClock.monotonicMs() - (this.#reflector.connectedSinceMs ?? systemClock.monotonicMs());
  }

  /** What has gone wrong so far, in the words of the metric, each as often as it did. */
  async failures(): Promise<readonly string[]> {
    const { values } = await this.#metrics.watchFailures.get();
    return values.flatMap(({ labels, value }) => Array.from({ length: value }, () => String(labels.kind)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#client.close();
    await this.#running;
    await this.proxy.close();
  }
}
