import { speakerLeaseName } from "../../../../src/api/speaker.ts";
import { FakeClock, SlowFakeClock } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiRequest, ListRequest } from "../../../../src/kube/client.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { Cluster, type RunningController } from "../fake-cluster/cluster.ts";
import { CrashingClient, type Fate } from "./crashing-client.ts";

interface Replica {
  readonly client: CrashingClient;
  readonly running: RunningController;
}

/** Long enough for all that waits when nothing fails: pool counts, 1 s, and Services that wait for an address. */
const quietMs = 3_000;
/** The counts of its pool follow within a second after a VirtualIP was deleted. */
const followsMs = 2_000;
/** A reflector whose watches broke again and again waits up to 30 s before it lists, and as long once more if its version has expired. */
const healedMs = 70_000;

/** Three readings of the clock use up a turn of the event loop. */
const slowReadMs = 3;

/** A handful of Services cannot need as many requests from one quiet moment to the next. */
const stormAt = 1_000;

/** All of them are on the LAN of every address. */
export const modelNodes: readonly string[] = ["n1", "n2", "n3"];

const namespacesPath = "/api/v1/namespaces";

export interface ClusterKind {
  /** Whether the controllers honour MetalLB's pools and annotations. */
  readonly metallb: boolean;
  /** Whether they are so slow that they interrupt their work after every few steps, and hear of changes in between. */
  readonly slow: boolean;
  /** Of the namespace that all Services are in. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether no controller is shown the namespace before `showNamespaces` is called. */
  readonly late: boolean;
}

/** A cluster in memory with a clock that stands still, and controllers that may die. All of them lead. */
export class ReplicatedCluster {
  readonly clock: FakeClock;
  readonly cluster: Cluster;
  readonly #metallb: boolean;
  readonly #replicas: Replica[] = [];
  #requests = 0;
  /** When a VirtualIP was last deleted. */
  #releasedMs = Number.NEGATIVE_INFINITY;
  #defaultClass = true;
  #hidesNamespaces = false;
  /** How many steps were taken. */
  steps = 0;
  /** Whether something has gone wrong since it was last quiet. */
  #faulty = false;

  private constructor(metallb: boolean, slow: boolean) {
    this.clock = slow ? new SlowFakeClock(slowReadMs) : new FakeClock();
    this.cluster = new Cluster(this.clock);
    this.#metallb = metallb;
  }

  static async create({ metallb, slow, labels, late }: ClusterKind): Promise<ReplicatedCluster> {
    const clusterState = new ReplicatedCluster(metallb, slow);
    clusterState.#hidesNamespaces = late;
    clusterState.cluster.server.intercept = (request) => clusterState.#count(request);
    const namespace = { metadata: { name: "default", labels } };
    await clusterState.cluster.server.request({ method: "POST", path: namespacesPath, body: namespace });
    for (const node of modelNodes) {
      await clusterState.cluster.addNode(node);
      // The clock runs for days in some runs, and the lease is never renewed.
      const path = leasePath("bellhop-system", speakerLeaseName(node));
      const body = { spec: { leaseDurationSeconds: 10 ** 8 } };
      await clusterState.cluster.patch(path, body);
    }
    await clusterState.startOne();
    return clusterState;
  }

  /** Whether so much was asked of the API server since it was last quiet that somebody must be going in circles. */
  get storms(): boolean {
    return this.#requests > stormAt;
  }

  get replicas(): number {
    return this.#replicas.length;
  }

  async startOne(): Promise<void> {
    const hides = ({ path }: ListRequest): boolean => this.#hidesNamespaces && path === namespacesPath;
    const client = new CrashingClient(this.cluster.server, hides);
    const settings = { metallb: this.#metallb, defaultClass: this.#defaultClass };
    this.#replicas.push({ client, running: await this.cluster.start(settings, client) });
  }

  /** In good order: what is under way is finished. */
  async stopOne(): Promise<void> {
    const replica = this.#replicas.shift();
    if (replica !== undefined) await this.#stop(replica);
  }

  /** All controllers stop, and as many start with `--default-class` as given. */
  async restartAll(defaultClass: boolean): Promise<void> {
    const count = this.#replicas.length;
    for (let stopped = 0; stopped < count; stopped++) await this.stopOne();
    this.#defaultClass = defaultClass;
    for (let started = 0; started < count; started++) await this.startOne();
  }

  get hidesNamespaces(): boolean {
    return this.#hidesNamespaces;
  }

  /** The watches of namespaces catch up. */
  showNamespaces(): void {
    this.#faulty = true;
    this.#hidesNamespaces = false;
    this.cluster.server.endWatches(new ApiError(410, "Expired", "too old"), "v1/namespaces");
  }

  /** Something was written so often that the controllers slow down. */
  expectDelays(): void {
    this.#faulty = true;
  }

  /** How the next writes of one controller fare. */
  spoil(fates: readonly Fate[]): void {
    this.#faulty = true;
    this.#replicas[0]?.client.fates.push(...fates);
  }

  /** Watches break, and their versions may have expired when they are requested again. */
  breakWatches(expired: boolean): void {
    this.#faulty = true;
    this.cluster.server.endWatches(new Error("cut"));
    if (expired) this.cluster.server.compact();
  }

  /** Lets everything happen that is going to; controllers that have died are replaced. */
  async settle(): Promise<void> {
    await this.clock.advance(this.#faulty ? healedMs : quietMs);
    // A hold may have ended at the last moment, and what follows from that is still to come.
    while (this.#hasDead() || this.#hasReleased()) {
      if (this.#hasDead()) await this.#replaceDead();
      else await this.clock.advance(followsMs);
    }
    if (!this.storms) this.#requests = 0;
    this.#faulty = this.#replicas.some(({ client }) => client.fates.length > 0);
  }

  #hasDead(): boolean {
    return this.#replicas.some(({ client }) => client.isDead);
  }

  async #replaceDead(): Promise<void> {
    const dead = this.#replicas.filter(({ client }) => client.isDead);
    for (const replica of dead) this.#replicas.splice(this.#replicas.indexOf(replica), 1);
    for (const replica of dead) await this.#stop(replica);
    if (this.#replicas.length === 0) await this.startOne();
    await this.clock.advance(healedMs);
  }

  /** Whether a VirtualIP was deleted just now. Not while storms last, which might have no end. */
  #hasReleased(): boolean {
    return !this.storms && this.clock.monotonicMs() < this.#releasedMs + followsMs;
  }

  async end(): Promise<void> {
    for (const replica of this.#replicas.splice(0)) await this.#stop(replica);
  }

  /** A storm is ended here, or the clock would never come to its next tick. */
  #count({ method, path }: ApiRequest): void {
    this.#requests++;
    if (method === "DELETE" && path.startsWith(ownPath("virtualips"))) this.#releasedMs = this.clock.monotonicMs();
    if (this.storms) throw new BellhopError("ApiUnreachable", "going in circles");
  }

  async #stop({ running }: Replica): Promise<void> {
    const stopped = running.stop();
    await this.clock.advance(2_000);
    await stopped;
  }
}
