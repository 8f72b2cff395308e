import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeConntrack } from "../../../speaker/dataplane/fake-conntrack.ts";
import type { Link } from "../../../speaker/links/link.ts";
import type { ResponderState } from "../../../speaker/responder/commands-between.ts";
import { Counters } from "../../../speaker/responder/counters.ts";
import type { Responder, ResponderOptions } from "../../../speaker/responder/responder.ts";
import { Speaker } from "../../../speaker/speaker.ts";
import { FakeClock, settle } from "../../../src/clock/fake.ts";
import { groupVersion } from "../../../src/config/api.ts";
import { type SpeakerSettings, speakerSettingsSchema } from "../../../src/config/speaker-settings.ts";
import type { VirtualIP } from "../../../src/config/virtual-ip.ts";
import { BellhopError } from "../../../src/error/error.ts";
import { subnetOf } from "../../../src/ip/range.ts";
import { FakeApiServer } from "../../../src/kube/fake.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { leasePath, ownPath } from "../../../src/kube/path.ts";
import { silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { FakeNft } from "../../../src/nft/fake-nft.ts";
import { address, mac } from "./responder/frames.ts";

const settings: SpeakerSettings = speakerSettingsSchema.parse({ node: "n1", namespace: "bellhop-system" });

function link(name: string, cidr: string, change: Partial<Link> = {}): Link {
  const subnets = [subnetOf(cidr)].flatMap((subnet) => subnet ?? []);
  return { name, index: 2, mac: "02:00:00:00:00:01", up: true, addresses: [cidr], subnets, ...change };
}

class FakeResponder implements Responder {
  readonly counters = new Counters();
  alive = true;
  beats = 0;
  state: ResponderState = new Map();
  options: ResponderOptions | undefined;
  readonly #onSet: () => void;

  constructor(onSet: () => void) {
    this.#onSet = onSet;
  }

  set(desired: ResponderState): void {
    this.state = desired;
    this.#onSet();
  }

  beat(): void {
    this.beats += 1;
  }

  async stop(): Promise<void> {
    this.alive = false;
  }

  get announced(): readonly string[] {
    return [...this.state].flatMap(([name, station]) => [...station.addresses.keys()].map((text) => `${text} ${name}`));
  }
}

/** A speaker with all of the outside world in memory. */
class World {
  readonly api = new FakeApiServer();
  readonly nft = new FakeNft();
  readonly clock = new FakeClock();
  readonly registry = createRegistry();
  /** What happened at the node, in order. */
  readonly journal: string[] = [];
  readonly responder = new FakeResponder(() => this.journal.push(`announce ${this.responder.announced.join(", ")}`));
  links: readonly Link[] = [link("eth0", "192.0.2.11/24"), link("eth1", "198.51.100.11/24")];
  readonly #stop = new AbortController();
  readonly speaker: Speaker;
  running: Promise<void> | undefined;

  constructor() {
    const run = this.nft.run.bind(this.nft);
    this.nft.run = async (transaction) => {
      await run(transaction);
      this.journal.push(`rules ${transaction.family}`);
    };
    this.speaker = new Speaker({
      settings,
      client: this.api,
      nft: this.nft,
      conntrack: new FakeConntrack(),
      startResponder: async (options) => {
        this.responder.options = options;
        return this.responder;
      },
      openGroupSocket: async () => ({ join: () => {}, leave: () => {}, close: () => {} }),
      readLinks: () => this.links,
      withoutForwarding: () => [],
      kernel: "6.1",
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

  async claim(text: string, owners: readonly string[]): Promise<void> {
    await this.post(ownPath("virtualips"), {
      apiVersion: groupVersion,
      kind: "VirtualIP",
      metadata: { name: text },
      spec: { address: text, services: [{ namespace: "default", name: "web" }], owners },
    });
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

/** Runs the story with a world that is stopped afterwards. */
function story(name: string, tell: (world: World) => Promise<void>): void {
  test(name, async () => {
    const world = new World();
    try {
      await tell(world);
    } finally {
      await world.stop().catch(() => undefined);
    }
  });
}

story(
  "an address that is ours gets its rules first and is announced then, on the interface of its LAN alone",
  async (world) => {
    await world.populate("n1");
    await world.start();
    assert.deepEqual(world.journal.slice(0, 3), ["rules ip", "rules ip6", "announce 192.0.2.200 eth0"]);
    assert.deepEqual(world.speaker.unready, []);
    assert.deepEqual([...(world.nft.table("ip", "bellhop")?.sets.get("lan")?.elements.keys() ?? [])], ['"eth0"']);
  },
);

story("an address of another node gets its rules and is not announced", async (world) => {
  await world.populate("n2");
  await world.start();
  assert.equal(world.nft.table("ip", "bellhop")?.sets.get("node_ports")?.elements.size, 1);
  assert.deepEqual(world.responder.announced, []);
  assert.deepEqual((await world.virtualIp()).status ?? {}, {});
});

story(
  "the status of an address is written by the node that announces it, and by the next one after it moved",
  async (world) => {
    await world.populate("n1");
    await world.start();
    const { status } = await world.virtualIp();
    assert.deepEqual(
      { ...status, since: undefined },
      { node: "n1", interfaces: ["eth0"], mac: "02:00:00:00:00:01", since: undefined },
    );
    await world.setOwners("192.0.2.200", ["n2", "n1"]);
    assert.deepEqual(world.responder.announced, []);
    assert.equal((await world.virtualIp()).status?.node, "n1", "n2 writes over it");
    await world.setOwners("192.0.2.200", ["n1", "n2"]);
    assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0"]);
    await world.setOwners("192.0.2.200", []);
    assert.equal((await world.virtualIp()).status?.node, undefined, "nobody announces it");
  },
);

story("an interface that goes down lets go of its addresses, and comes back with them", async (world) => {
  await world.populate("n1");
  await world.start();
  world.links = [link("eth0", "192.0.2.11/24", { up: false })];
  await world.clock.advance(2_000);
  await world.settle();
  assert.deepEqual(world.responder.announced, []);
  world.links = [link("eth0", "192.0.2.11/24")];
  await world.clock.advance(2_000);
  await world.settle();
  assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0"]);
});

story(
  "while the rules cannot be written nothing new is announced, what is announced stays, and what moved is let go",
  async (world) => {
    await world.populate("n1");
    await world.claim("192.0.2.201", ["n1"]);
    await world.start();
    assert.equal(world.responder.announced.length, 2);
    world.nft.broken = "no memory";
    await world.setOwners("192.0.2.201", ["n2"]);
    await world.claim("192.0.2.202", ["n1"]);
    await world.settle();
    assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0"]);
    world.nft.broken = undefined;
    await world.clock.advance(2_000);
    await world.settle();
    assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0", "192.0.2.202 eth0"]);
  },
);

story("before everything is listed nothing in the kernel is touched", async (world) => {
  await world.populate("n1");
  world.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await world.start();
  assert.deepEqual(world.journal, []);
  assert.ok(world.speaker.unready.some((fault) => fault.startsWith("slices")));
});

story("no port is refused because its endpoints are not listed yet, or listed anew", async (world) => {
  await world.populate("n1");
  world.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await world.start();
  world.api.intercept = undefined;
  await world.clock.advance(60_000);
  await world.settle();
  const listings = () =>
    world.api.requests.filter(({ path, query }) => path.includes("endpointslices") && query?.watch === undefined);
  const before = listings().length;
  world.api.sendError(410, "Expired");
  await world.clock.advance(60_000);
  await world.settle();
  assert.ok(listings().length > before);
  assert.equal(world.nft.table("ip", "bellhop")?.sets.get("node_ports")?.elements.size, 1);
  const written = world.nft.accepted.flatMap(({ commands }) => commands);
  assert.ok(!written.some((command) => command.kind === "addElements" && command.set === "refused"));
  await world.api.request({
    method: "DELETE",
    path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1",
  });
  await world.settle();
  assert.equal(world.nft.table("ip", "bellhop")?.sets.get("refused")?.elements.size, 1);
});

story("with the API server away the node goes on, and the lease is tried again", async (world) => {
  await world.populate("n1");
  await world.start();
  const lease = leasePath("bellhop-system", "speaker-n1");
  type Lease = { readonly spec: Readonly<Record<string, unknown>> };
  const before = await world.get<Lease>(lease);
  assert.equal(before.spec.holderIdentity, "n1");
  assert.equal(before.spec.leaseDurationSeconds, 6);
  assert.match(String(before.spec.renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  world.api.intercept = () => {
    throw new BellhopError("ApiUnreachable", "no route");
  };
  await world.clock.advance(60_000);
  assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0"]);
  assert.ok(world.responder.beats >= 30);
  world.api.intercept = undefined;
  await world.clock.advance(3_000);
  assert.notEqual((await world.get<Lease>(lease)).spec.renewTime, before.spec.renewTime);
  const text = await world.registry.metrics();
  assert.match(text, /bellhop_speaker_lease_renewals_total\{result="failed"\} [1-9]/);
  assert.match(text, /bellhop_speaker_announced_addresses 1\b/);
});

story("the Speaker object tells the node's interfaces and what it announces", async (world) => {
  await world.populate("n1");
  await world.start();
  await world.clock.advance(1_000);
  const { status } = await world.get<{ status: Record<string, unknown> }>(ownPath("speakers", "n1"));
  assert.deepEqual(status.announcing, ["192.0.2.200"]);
  assert.deepEqual(
    (status.interfaces as { name: string }[]).map(({ name }) => name),
    ["eth0", "eth1"],
  );
  assert.equal(status.kernel, "6.1");
});

story("another station's claim is told only when it lasts, and its end too", async (world) => {
  await world.populate("n1");
  await world.start();
  const sighting = { interfaceName: "eth0", address: address("192.0.2.200"), mac: mac("02:00:00:00:00:77") };
  const condition = async () => (await world.virtualIp()).status?.conditions?.find(({ type }) => type === "Conflict");
  world.responder.options?.onConflict(sighting);
  await world.settle();
  assert.equal(await condition(), undefined);
  await world.clock.advance(4_000);
  world.responder.options?.onConflict(sighting);
  await world.settle();
  assert.equal((await condition())?.status, "True");
  assert.match((await condition())?.message ?? "", /02:00:00:00:00:77/);
  await world.clock.advance(130_000);
  await world.settle();
  assert.equal((await condition())?.status, "False");
});

story("a Service that is deleted leaves no rules, and its address is let go", async (world) => {
  await world.populate("n1");
  await world.start();
  await world.api.request({ method: "DELETE", path: "/api/v1/namespaces/default/services/web" });
  await world.settle();
  assert.equal(world.nft.table("ip", "bellhop")?.sets.get("node_ports")?.elements.size, 0);
  await world.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
  await world.settle();
  assert.deepEqual(world.responder.announced, []);
  assert.equal(world.nft.table("ip", "bellhop")?.sets.get("addresses")?.elements.size, 0);
});

story("the end leaves rules and lease, and stops the responder last", async (world) => {
  await world.populate("n1");
  await world.start();
  await world.stop();
  assert.equal(world.responder.alive, false);
  assert.ok(world.nft.table("ip", "bellhop") !== undefined);
  const lease = await world.get<{ spec: { holderIdentity: string } }>(leasePath("bellhop-system", "speaker-n1"));
  assert.equal(lease.spec.holderIdentity, "n1");
});

story("the death of the responder ends the speaker", async (world) => {
  await world.populate("n1");
  await world.start();
  world.responder.options?.onDeath(new BellhopError("WorkerFailed", "the responder thread ended"));
  await world.clock.advance(2_000);
  await assert.rejects(world.running ?? Promise.resolve(), { code: "WorkerFailed" });
});

story("the rules are written anew now and then", async (world) => {
  await world.populate("n1");
  await world.start();
  const before = world.nft.accepted.length;
  await world.clock.advance(settings.resyncSeconds * 1100);
  await world.settle();
  assert.ok(world.nft.accepted.length > before);
  assert.equal(world.nft.accepted.at(-2)?.commands[1]?.kind, "deleteTable");
});
