import { FakeConntrack } from "../../../speaker/dataplane/fake-conntrack.ts";
import type { MissingFeature } from "../../../speaker/dataplane/self-test.ts";
import { readHostSettings } from "../../../speaker/host-checks/host-settings.ts";
import type { Kernel, KernelOptions } from "../../../speaker/kernel/kernel.ts";
import type { StakeFile } from "../../../speaker/last-stakes/stake-file.ts";
import type { Link } from "../../../speaker/links/link.ts";
import type { Health } from "../../../speaker/membership/stake.ts";
import type { ResponderCommand, ResponderReport } from "../../../speaker/responder/commands.ts";
import { Counters } from "../../../speaker/responder/counters.ts";
import { HeartbeatTransport } from "../../../speaker/responder/heartbeat-transport.ts";
import { ResponderLoop } from "../../../speaker/responder/loop.ts";
import type { Responder, ResponderOptions } from "../../../speaker/responder/responder.ts";
import { Speaker } from "../../../speaker/speaker.ts";
import { groupVersion } from "../../../src/api/api.ts";
import type { VirtualIP } from "../../../src/api/virtual-ip.ts";
import { FakeClock, settle } from "../../../src/clock/fake.ts";
import { subnetOf } from "../../../src/ip/range.ts";
import { FakeApiServer } from "../../../src/kube/fake.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { ownPath } from "../../../src/kube/path.ts";
import { silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { FakeNft } from "../../../src/nft/fake-nft.ts";
import type { NftTransaction } from "../../../src/nft/transaction.ts";
import type { DroppingChain } from "../../../src/nft-netlink/forward-chains.ts";
import { FakePacketSockets } from "../../../src/packet-socket/fake-packet-sockets.ts";
import type { HostNetwork } from "../../../src/rtnetlink/host-network.ts";
import { type SpeakerSettings, speakerSettingsSchema } from "../../../src/settings/speaker-settings.ts";
import { FakeUdpSockets } from "../../../src/udp-socket/fake-udp-sockets.ts";
import { hostNetwork } from "./links/host-network-fixture.ts";
import { FirstOwner } from "./responder/first-owner.ts";

export const settings: SpeakerSettings = speakerSettingsSchema.parse({ node: "n1", namespace: "bellhop-system" });

export function link(name: string, cidr: string, change: Partial<Link> = {}): Link {
  const subnets = [subnetOf(cidr)].flatMap((subnet) => subnet ?? []);
  return { name, index: 2, mac: "02:00:00:00:00:01", up: true, addresses: [cidr], subnets, ...change };
}

/** The responder thread without the thread: its loop, on packet sockets in memory. What it reports arrives a moment later. */
class FakeResponder implements Responder {
  readonly counters = new Counters();
  alive = false;
  beats = 0;
  /** Set it to make the thread hang. */
  stalled = false;
  options: ResponderOptions | undefined;
  /** What other nodes are told that this one can serve. */
  health: Health | undefined;
  readonly sockets = new FakePacketSockets("eth0", "eth1");
  readonly #loop: ResponderLoop;
  /** By address: what it is announced on when it is. */
  readonly #stakes = new Map<string, readonly string[]>();
  readonly #holding = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #journal: string[];

  constructor(clock: FakeClock, journal: string[]) {
    this.#journal = journal;
    this.#loop = new ResponderLoop({
      membership: new FirstOwner("n1"),
      transport: new HeartbeatTransport({
        node: "n1",
        port: 7482,
        session: 1,
        udpSockets: new FakeUdpSockets(),
        counters: new Counters(),
        failed: () => undefined,
      }),
      onConflict: "defend",
      packetSockets: this.sockets,
      now: () => clock.monotonicMs(),
      random: () => 0.5,
      counters: new Counters(),
      watchdog: { alive: () => true },
      report: (report) => queueMicrotask(() => this.#receive(report)),
    });
  }

  send(command: ResponderCommand): void {
    if (command.kind === "leave") this.#journal.push(`leave with the intent to ${command.intent}`);
    if (command.kind === "setHealth") this.health = command.health;
    if (command.kind === "resume") this.#journal.push(`resume ${[...command.claims.keys()].sort().join(" ")}`);
    if (command.kind === "setInterface") this.#failed.delete(command.name);
    if (command.kind === "setStake") this.#stakes.set(command.stake.address, command.stake.interfaces);
    if (command.kind === "removeStake") this.#stakes.delete(command.address);
    this.#loop.apply(command);
    this.turn();
  }

  /** Lets the thread do what is due. */
  turn(): void {
    this.#loop.turn();
    for (const socket of this.sockets.sockets) socket.sent.length = 0;
    for (let index = this.sockets.sockets.length - 1; index >= 0; index--)
      if (this.sockets.sockets[index]?.open === false) this.sockets.sockets.splice(index, 1);
  }

  /** The socket of an interface breaks. */
  fail(interfaceName: string): void {
    for (const socket of this.sockets.sockets) if (socket.interfaceName === interfaceName) socket.broken = "ENETDOWN";
    this.turn();
  }

  async start(): Promise<void> {
    this.alive = true;
  }

  signalAlive(): void {
    this.beats += 1;
    if (!this.stalled) this.counters.add("turns");
  }

  async stop(): Promise<void> {
    this.alive = false;
  }

  /** The addresses that the node has a stake in, armed or not. */
  get stakes(): readonly string[] {
    return [...this.#stakes.keys()];
  }

  /** What is answered for, and on which interfaces. */
  get announced(): readonly string[] {
    const announced = [...this.#holding].flatMap((text) =>
      (this.#stakes.get(text) ?? []).filter((name) => !this.#failed.has(name)).map((name) => `${text} ${name}`),
    );
    return announced.sort();
  }

  #receive(report: ResponderReport): void {
    const { changes } = this.options ?? {};
    if (report.kind === "interfaceFailed") {
      this.#failed.add(report.name);
      changes?.interfaceFailed(report.name);
    }
    if (report.kind === "conflict") changes?.conflictObserved(report);
    if (report.kind === "addressUsed") changes?.addressUseObserved(report.address, report.by);
    if (report.kind !== "facts") return;
    for (const fact of report.facts) {
      if (fact.kind !== "holding" && fact.kind !== "released") continue;
      if (fact.kind === "holding") this.#holding.add(fact.address);
      else this.#holding.delete(fact.address);
      this.#journal.push(`${fact.kind} ${fact.address}`);
    }
    changes?.factsObserved(report.facts);
  }
}

/** What the kernel would report for these interfaces. */
function networkOf(links: readonly Link[]): HostNetwork {
  const facts = links.map(({ name, mac, up, addresses }) => [name, { mac, carrier: up, addresses }] as const);
  return hostNetwork(Object.fromEntries(facts));
}

/** The kernel thread in memory. */
class FakeKernel extends FakeConntrack implements Kernel {
  alive = false;
  silentMs = 0;
  droppingChains: readonly DroppingChain[] = [];
  options: KernelOptions | undefined;
  readonly #nft: FakeNft;
  readonly #network: () => HostNetwork;

  constructor(nft: FakeNft, network: () => HostNetwork) {
    super();
    this.#nft = nft;
    this.#network = network;
  }

  get network(): HostNetwork {
    return this.#network();
  }

  run(transaction: NftTransaction): Promise<void> {
    return this.#nft.run(transaction);
  }

  readElements(...args: Parameters<FakeNft["readElements"]>): ReturnType<FakeNft["readElements"]> {
    return this.#nft.readElements(...args);
  }

  async start(): Promise<void> {
    this.alive = true;
  }

  async stop(): Promise<void> {
    this.alive = false;
  }
}

/** A speaker with all of the outside world in memory. */
export class SpeakerFixture {
  readonly api = new FakeApiServer();
  readonly nft = new FakeNft();
  readonly clock = new FakeClock();
  readonly registry = createRegistry();
  readonly events: string[] = [];
  /** The file of the last stakes. */
  lastStakes: string | undefined;
  readonly stakeFile: StakeFile = {
    read: async () => this.lastStakes,
    write: async (text) => {
      this.lastStakes = text;
    },
  };
  /** What happened at the node, in order. */
  readonly journal: string[] = [];
  readonly responder = new FakeResponder(this.clock, this.journal);
  readonly kernel = new FakeKernel(this.nft, () => networkOf(this.links));
  missingFeatures: readonly MissingFeature[] = [];
  /** Files of /proc/sys by path. */
  readonly sysctls = new Map<string, string>();
  /** What kube-proxy says; undefined: it does not answer. */
  nodePortAddresses: readonly string[] | undefined;
  links: readonly Link[] = [link("eth0", "192.0.2.11/24"), link("eth1", "198.51.100.11/24")];
  readonly #stop = new AbortController();
  readonly speaker: Speaker;
  running: Promise<void> | undefined;

  constructor() {
    const run = this.nft.run.bind(this.nft);
    this.nft.run = async (transaction) => {
      await run(transaction);
      this.journal.push(`rules ${transaction.commands[0]?.table.family}`);
    };
    this.speaker = new Speaker({
      settings,
      client: this.api,
      events: { record: (_, { reason, message }) => void this.events.push(`${reason}: ${message}`) },
      createKernel: (options) => {
        this.kernel.options = options;
        return this.kernel;
      },
      createResponder: (options) => {
        this.responder.options = options;
        return this.responder;
      },
      findMissingFeatures: async () => this.missingFeatures,
      stakeFile: this.stakeFile,
      probeKubelet: async () => "unknown",
      openGroupSocket: async () => ({ join: () => {}, leave: () => {}, close: () => {} }),
      readNodePortAddresses: async () => this.nodePortAddresses,
      readHostSettings: (links) => readHostSettings(links, (path) => this.sysctls.get(path)),
      kernelRelease: "6.1",
      bootNonce: "nonce",
      clock: this.clock,
      random: () => 0.5,
      log: silentLogger,
      registry: this.registry,
      kubeMetrics: createKubeMetrics(this.registry),
    });
  }

  async post(path: string, body: unknown): Promise<void> {
    await this.api.request({ method: "POST", path, body });
  }

  async patch(path: string, body: unknown): Promise<void> {
    await this.api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }

  async get<Body>(path: string): Promise<Body> {
    return (await this.api.request({ method: "GET", path })).body as Body;
  }

  /** A cluster with this node, a Service with one pod, and its address owned by `owner`. */
  async populate(owner: string): Promise<void> {
    await this.post("/api/v1/nodes", { metadata: { name: "n1" } });
    const status = { addresses: [{ type: "InternalIP", address: "192.0.2.11" }] };
    await this.patch("/api/v1/nodes/n1/status", { status });
    await this.post("/api/v1/namespaces/default/services", {
      metadata: { name: "web", namespace: "default" },
      spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 80, nodePort: 30080 }] },
    });
    await this.post("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "", protocol: "TCP", port: 8080 }],
      endpoints: [{ addresses: ["10.244.1.2"], nodeName: "n1", conditions: { ready: true } }],
    });
    await this.claim("192.0.2.200", [owner]);
  }

  async claim(text: string, owners: readonly string[], service = "web"): Promise<void> {
    await this.post(ownPath("virtualips"), {
      apiVersion: groupVersion,
      kind: "VirtualIP",
      metadata: { name: text },
      spec: { address: text, services: [{ namespace: "default", name: service }], owners },
    });
  }

  /** A Service without endpoints, and its address. */
  async serve(text: string, owners: readonly string[], service: string): Promise<void> {
    await this.post("/api/v1/namespaces/default/services", {
      metadata: { name: service, namespace: "default" },
      spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 80, nodePort: 0 }] },
    });
    await this.claim(text, owners, service);
  }

  async setOwners(text: string, owners: readonly string[]): Promise<void> {
    const contentType = "application/merge-patch+json";
    await this.api.request({
      method: "PATCH",
      path: ownPath("virtualips", text),
      body: { spec: { owners } },
      contentType,
    });
    await this.settle();
  }

  virtualIp(text = "192.0.2.200"): Promise<VirtualIP> {
    return this.get<VirtualIP>(ownPath("virtualips", text));
  }

  async start(): Promise<void> {
    this.running = this.speaker.run(this.#stop.signal);
    this.running.catch(() => undefined);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(2_000);
    await this.running;
  }
}
