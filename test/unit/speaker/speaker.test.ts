import assert from "node:assert/strict";
import { test } from "node:test";
import { BellhopError } from "../../../src/error/error.ts";
import { leasePath, ownPath } from "../../../src/kube/path.ts";
import { address, mac } from "./responder/frames.ts";
import { link, settings, World } from "./world.ts";

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

story("an interface that the responder has given up is told anew, with all of its addresses", async (world) => {
  await world.populate("n1");
  await world.start();
  world.responder.fail("eth0");
  await world.claim("192.0.2.201", ["n1"]);
  await world.settle();
  assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
  world.responder.fail("eth0");
  await world.clock.advance(2_000);
  await world.settle();
  assert.deepEqual(world.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
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
