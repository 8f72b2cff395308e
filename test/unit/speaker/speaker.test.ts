import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLastStakes } from "../../../speaker/last-stakes/last-stakes.ts";
import type { Fact } from "../../../speaker/membership/effects.ts";
import type { Speaker } from "../../../src/api/speaker.ts";
import { BellhopError } from "../../../src/error/error.ts";
import { ApiError } from "../../../src/kube/api-error.ts";
import { leasePath, ownPath } from "../../../src/kube/path.ts";
import { netfilterFamilies } from "../../../src/netlink/netfilter.ts";
import { interfaceData } from "../../../src/nft/data.ts";
import { encodeArp } from "../../../src/packet/arp.ts";
import { encodeEthernet, etherTypes } from "../../../src/packet/ethernet.ts";
import { address, arpRequest, mac } from "./responder/frames.ts";
import { link, SpeakerFixture, settings } from "./speaker-fixture.ts";

/** Runs the story with a fixture that is stopped afterwards. */
function story(name: string, tell: (fixture: SpeakerFixture) => Promise<void>): void {
  test(name, async () => {
    const fixture = new SpeakerFixture();
    try {
      await tell(fixture);
    } finally {
      await fixture.stop().catch(() => undefined);
    }
  });
}

story(
  "an address that is ours gets its rules first and is announced then, on the interface of its LAN alone",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    assert.deepEqual(fixture.journal, ["rules ip", "rules ip6", "holding 192.0.2.200"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    assert.deepEqual(fixture.speaker.unready, []);
    assert.deepEqual(
      [...(fixture.nft.table("ip", "bellhop")?.sets.get("lan_interfaces")?.elements.keys() ?? [])],
      [interfaceData("eth0")],
    );
  },
);

story("an address of another node gets its rules and is not announced", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("dnat_services")?.elements.size, 1);
  assert.deepEqual(fixture.responder.announced, []);
  assert.deepEqual((await fixture.virtualIp()).status ?? {}, {});
});

story(
  "the status of an address is written by the node that announces it, and by the next one after it moved",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const { status } = await fixture.virtualIp();
    assert.deepEqual(
      { ...status, since: undefined },
      {
        node: "n1",
        interfaces: ["eth0"],
        mac: "02:00:00:00:00:01",
        since: undefined,
        cause: "Start",
        observedGeneration: 1,
      },
    );
    await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
    assert.deepEqual(fixture.responder.announced, []);
    assert.equal((await fixture.virtualIp()).status?.node, "n1", "n2 writes over it");
    await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    const moved = (await fixture.virtualIp()).status;
    assert.deepEqual([moved?.observedGeneration, moved?.cause], [3, "Start"], "n2 has not written, so n1 never ceased");
    await fixture.setOwners("192.0.2.200", []);
    assert.equal((await fixture.virtualIp()).status?.node, undefined, "nobody announces it");
  },
);

story("an address that moves here is an event that says from where and why, and is counted", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  await fixture.patch(`${ownPath("virtualips", "192.0.2.200")}/status`, { status: { node: "n2" } });
  await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  const { status } = await fixture.virtualIp();
  assert.deepEqual([status?.node, status?.cause, status?.observedGeneration], ["n1", "Planned", 3]);
  assert.deepEqual(fixture.events, [
    "Moved: Node n1 announces the address instead of node n2: the list of owners changed.",
  ]);
  assert.match(await fixture.registry.metrics(), /bellhop_speaker_takeovers_total\{cause="Planned"\} 1/);
});

story(
  "an interface that goes down withdraws its addresses, and announces them again when it is up",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    fixture.links = [link("eth0", "192.0.2.11/24", { up: false })];
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, []);
    fixture.links = [link("eth0", "192.0.2.11/24")];
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  },
);

story("an interface that the responder has given up is set again, with all of its addresses", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.responder.fail("eth0");
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
  await fixture.claim("192.0.2.201", ["n1"]);
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
  fixture.responder.fail("eth0");
  await fixture.settle();
  await fixture.clock.advance(2_000);
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
});

story(
  "while the rules cannot be written nothing new is announced, what is announced stays, and what moved is withdrawn",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.claim("192.0.2.201", ["n1"]);
    await fixture.start();
    assert.equal(fixture.responder.announced.length, 2);
    fixture.nft.broken = "no memory";
    await fixture.setOwners("192.0.2.201", ["n2"]);
    await fixture.claim("192.0.2.202", ["n1"]);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    fixture.nft.broken = undefined;
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.202 eth0"]);
  },
);

story("an address whose rules are written is taken over while other rules cannot be written", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  fixture.nft.broken = "no memory";
  await fixture.serve("192.0.2.201", ["n1"], "other");
  await fixture.settle();
  await fixture.setOwners("192.0.2.200", ["n1"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
});

story("rules of one Service that the kernel refuses keep no other address from being announced", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const poison = "\u00c0\u0000\u0002\u0042";
  fixture.nft.refusal = (_, { key }) => (key.startsWith(poison) ? "unnamed" : undefined);
  await fixture.serve("192.0.2.66", ["n1"], "poison");
  await fixture.serve("192.0.2.201", ["n1"], "other");
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
  const said = async () => {
    await fixture.settle();
    const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
    const condition = (await fixture.virtualIp("192.0.2.66")).status?.conditions?.[0];
    return [status?.readiness?.refusedServices, condition?.status, condition?.reason];
  };
  assert.deepEqual(await said(), [["default/poison"], "False", "RulesRefused"]);
  fixture.nft.refusal = () => undefined;
  await fixture.clock.advance(10_000);
  assert.deepEqual(await said(), [[], "True", "Written"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0", "192.0.2.66 eth0"]);
});

story(
  "a node that cannot serve a family says so to controller and peers within seconds, and when it can again",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    await fixture.clock.advance(2_000);
    const readiness = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      const conditions = status?.conditions?.filter(({ type }) => ["RulesWritten", "Answering"].includes(type)) ?? [];
      const texts = conditions.map(({ type, status: value }) => `${type} ${value}`).sort();
      return [...(status?.readiness?.families ?? []), ...texts];
    };
    assert.deepEqual(await readiness(), ["IPv4", "IPv6", "Answering True", "RulesWritten True"]);
    const { responder } = fixture;
    assert.deepEqual(responder.health, { ipv4: true, ipv6: true });
    fixture.nft.outcomeUnknown = true;
    await fixture.serve("192.0.2.201", ["n2"], "other");
    await fixture.clock.advance(8_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["IPv6", "Answering True", "RulesWritten False"]);
    assert.deepEqual(responder.health, { ipv4: false, ipv6: true });
    fixture.nft.outcomeUnknown = false;
    await fixture.clock.advance(40_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["IPv4", "IPv6", "Answering True", "RulesWritten True"]);
    assert.deepEqual(responder.health, { ipv4: true, ipv6: true });
    responder.stalled = true;
    await fixture.clock.advance(10_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["Answering False", "RulesWritten True"]);
    assert.deepEqual(responder.health, { ipv4: false, ipv6: false });
  },
);

story("what moves away is withdrawn, and what moves here is announced, while a write hangs", async (fixture) => {
  await fixture.populate("n1");
  await fixture.serve("192.0.2.201", ["n2"], "other");
  await fixture.start();
  const run = fixture.nft.run.bind(fixture.nft);
  const hanging = Promise.withResolvers<void>();
  fixture.nft.run = async (transaction) => {
    await hanging.promise;
    await run(transaction);
  };
  await fixture.serve("192.0.2.202", ["n1"], "new");
  await fixture.settle();
  await fixture.setOwners("192.0.2.200", ["n2"]);
  await fixture.setOwners("192.0.2.201", ["n1"]);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.201 eth0"]);
  hanging.resolve();
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.201 eth0", "192.0.2.202 eth0"]);
});

story("before everything is listed nothing in the kernel is touched", async (fixture) => {
  await fixture.populate("n1");
  fixture.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.start();
  assert.deepEqual(fixture.journal, []);
  assert.ok(fixture.speaker.unready.some((fault) => fault.startsWith("slices")));
});

story("no port is refused because its endpoints are not listed yet, or are being listed again", async (fixture) => {
  await fixture.populate("n1");
  fixture.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.start();
  fixture.api.intercept = undefined;
  await fixture.clock.advance(60_000);
  await fixture.settle();
  const listings = () =>
    fixture.api.requests.filter(({ path, query }) => path.includes("endpointslices") && query?.watch === undefined);
  const before = listings().length;
  fixture.api.sendError(410, "Expired");
  await fixture.clock.advance(60_000);
  await fixture.settle();
  assert.ok(listings().length > before);
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("proxied_services")?.elements.size, 1);
  const written = fixture.nft.accepted.flatMap(({ commands }) => commands);
  assert.ok(!written.some((command) => command.kind === "addElements" && command.set.name === "no_endpoint_services"));
  await fixture.api.request({
    method: "DELETE",
    path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1",
  });
  await fixture.settle();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("no_endpoint_services")?.elements.size, 1);
});

story("without the API server the node continues, and the lease is tried again", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const lease = leasePath("bellhop-system", "speaker-n1");
  type Lease = { readonly spec: Readonly<Record<string, unknown>> };
  const before = await fixture.get<Lease>(lease);
  assert.equal(before.spec.holderIdentity, "n1");
  assert.equal(before.spec.leaseDurationSeconds, 6);
  assert.match(String(before.spec.renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  fixture.api.intercept = () => {
    throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.clock.advance(60_000);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  assert.ok(fixture.responder.beats >= 30);
  fixture.api.intercept = undefined;
  await fixture.clock.advance(3_000);
  assert.notEqual((await fixture.get<Lease>(lease)).spec.renewTime, before.spec.renewTime);
  const text = await fixture.registry.metrics();
  assert.match(text, /bellhop_speaker_lease_renewals_total\{result="failed"\} [1-9]/);
  assert.match(text, /bellhop_speaker_announced_addresses 1\b/);
});

story("the Speaker object lists the node's interfaces and what it announces", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  const { status } = await fixture.get<{ status: Record<string, unknown> }>(ownPath("speakers", "n1"));
  assert.deepEqual(status.announcing, ["192.0.2.200"]);
  assert.deepEqual(
    (status.interfaces as { name: string }[]).map(({ name }) => name),
    ["eth0", "eth1"],
  );
  assert.equal(status.kernel, "6.1");
});

/** The speaker of n2. */
async function addPeer(fixture: SpeakerFixture): Promise<void> {
  await fixture.post(ownPath("speakeridentities"), {
    apiVersion: "bellhop.dev/v1beta1",
    kind: "SpeakerIdentity",
    metadata: { name: "n2" },
    spec: { addresses: ["192.0.2.12"], port: 7482, macs: ["02:00:00:00:00:12"] },
  });
}

/** To which nodes packets of unknown connections are passed on. */
function passedOnBy({ nft }: SpeakerFixture): string {
  return JSON.stringify([...(nft.table("ip", "bellhop")?.sets.get("unknown_flows")?.elements ?? [])]);
}

story("a node that becomes an owner answers only when it passes packets on to the node before", async (fixture) => {
  await fixture.populate("n2");
  await addPeer(fixture);
  await fixture.start();
  await fixture.patch(`${ownPath("virtualips", "192.0.2.200")}/status`, { status: { node: "n2" } });
  await fixture.settle();
  fixture.journal.length = 0;
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  await fixture.settle();
  assert.deepEqual(fixture.journal.slice(0, 2), ["rules ip", "holding 192.0.2.200"]);
  assert.match(passedOnBy(fixture), /pass_to_192\.0\.2\.12/);
});

story("packets for open connections are passed on to the node before, until that node is dead", async (fixture) => {
  await fixture.populate("n2");
  await addPeer(fixture);
  await fixture.start();
  await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  const passedOn = () => passedOnBy(fixture);
  assert.match(passedOn(), /pass_to_192\.0\.2\.12/);
  const observe = (frozen: object) =>
    fixture.responder.options?.changes.factsObserved([{ kind: "peerDown", node: "n2", nodeDead: true, ...frozen }]);
  observe({ frozen: true });
  await fixture.settle();
  assert.match(passedOn(), /pass_to_192\.0\.2\.12/, "its kernel forwards, although its programs do not answer");
  observe({});
  await fixture.settle();
  assert.doesNotMatch(passedOn(), /pass_to_192\.0\.2\.12/);
});

story(
  "a node that is no longer an owner still passes packets on, until no Service has the address",
  async (fixture) => {
    await fixture.populate("n2");
    await addPeer(fixture);
    await fixture.start();
    const passedOn = () => passedOnBy(fixture);
    await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
    await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    await fixture.setOwners("192.0.2.200", ["n2"]);
    await fixture.clock.advance(15_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, []);
    assert.match(passedOn(), /pass_to_192\.0\.2\.12/);
    await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
    await fixture.settle();
    assert.doesNotMatch(passedOn(), /pass_to_192\.0\.2\.12/);
  },
);

story("another device's claim is reported only when it lasts, and so is its end", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const conflict = { interfaceName: "eth0", address: address("192.0.2.200"), mac: mac("02:00:00:00:00:77") };
  const condition = async () => (await fixture.virtualIp()).status?.conditions?.find(({ type }) => type === "Conflict");
  fixture.responder.options?.changes.conflictObserved(conflict);
  await fixture.settle();
  assert.equal(await condition(), undefined);
  await fixture.clock.advance(4_000);
  fixture.responder.options?.changes.conflictObserved(conflict);
  await fixture.settle();
  assert.equal((await condition())?.status, "True");
  assert.match((await condition())?.message ?? "", /02:00:00:00:00:77/);
  await fixture.clock.advance(130_000);
  await fixture.settle();
  assert.equal((await condition())?.status, "False");
});

/** Lets time pass for the thread, too. */
async function pass(fixture: SpeakerFixture, ms: number): Promise<void> {
  for (const endMs = fixture.clock.monotonicMs() + ms; fixture.clock.monotonicMs() < endMs; ) {
    await fixture.clock.advance(20);
    fixture.responder.turn();
    await fixture.settle();
  }
}

/** An ARP reply for 192.0.2.200. */
function claimOf(device: Uint8Array): Uint8Array {
  const [senderAddress, targetAddress] = [address("192.0.2.200"), address("0.0.0.0")];
  const own = mac("02:00:00:00:00:01");
  const payload = encodeArp({ operation: "reply", senderMac: device, senderAddress, targetMac: own, targetAddress });
  return encodeEthernet({ destination: own, source: device, etherType: etherTypes.arp, payload });
}

story(
  "a new address is announced after a probe, and its status says so; a restart announces it at once",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { probe: true } });
    await fixture.start();
    assert.deepEqual(fixture.responder.announced, []);
    await pass(fixture, 300);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    const { node, probed } = (await fixture.virtualIp()).status ?? {};
    assert.deepEqual([node, probed], ["n1", true]);
    await fixture.setOwners("192.0.2.200", ["n2"]);
    await fixture.settle();
    await fixture.setOwners("192.0.2.200", ["n1"]);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  },
);

story(
  "an address that another device has is not announced, which the VirtualIP says, until it is free",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { probe: true } });
    await fixture.start();
    fixture.responder.sockets.socket("eth0", "arp")?.inbox.push(claimOf(mac("02:00:00:00:00:77")));
    await pass(fixture, 1000);
    assert.deepEqual(fixture.responder.announced, []);
    const condition = async () =>
      (await fixture.virtualIp()).status?.conditions?.find(({ type }) => type === "Conflict");
    const { status, reason, message = "" } = (await condition()) ?? {};
    assert.deepEqual([status, reason], ["True", "AddressInUse"]);
    assert.match(message, /^02:00:00:00:00:77 on the LAN of eth0 has 192\.0\.2\.200 already\./);
    assert.equal((await fixture.virtualIp()).status?.node, undefined);
    await pass(fixture, 11_000);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    assert.equal((await condition())?.status, "False");
  },
);

story(
  "an address that another device answers for a little late is withdrawn, and its status says the same as if it had answered in time",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { probe: true } });
    await fixture.start();
    await pass(fixture, 300);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    assert.equal((await fixture.virtualIp()).status?.probed, true);
    fixture.responder.sockets.socket("eth0", "arp")?.inbox.push(claimOf(mac("02:00:00:00:00:77")));
    await pass(fixture, 1000);
    assert.deepEqual(fixture.responder.announced, []);
    const { node, probed, conditions = [] } = (await fixture.virtualIp()).status ?? {};
    assert.deepEqual([node, probed], [undefined, undefined]);
    const { status, reason } = conditions.find(({ type }) => type === "Conflict") ?? {};
    assert.deepEqual([status, reason], ["True", "AddressInUse"]);
    await pass(fixture, 11_000);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    assert.equal((await fixture.virtualIp()).status?.probed, true);
  },
);

story(
  "what a node of the cluster announces is not another device's, and a lasting conflict names the node",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { probe: true } });
    await fixture.start();
    const peer = "02:00:00:00:00:77";
    await fixture.post(ownPath("speakeridentities"), {
      metadata: { name: "n2" },
      spec: { addresses: ["192.0.2.12"], port: 7482, macs: [peer] },
    });
    await fixture.settle();
    fixture.responder.sockets.socket("eth0", "arp")?.inbox.push(claimOf(mac(peer)));
    await pass(fixture, 300);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    for (let count = 0; count < 3; count++) {
      fixture.responder.sockets.socket("eth0", "arp")?.inbox.push(claimOf(mac(peer)));
      await pass(fixture, 2000);
    }
    const conditions = (await fixture.virtualIp()).status?.conditions ?? [];
    const { status, message = "" } = conditions.find(({ type }) => type === "Conflict") ?? {};
    assert.equal(status, "True");
    assert.match(message, /of node n2 on the LAN of eth0 also answers for 192\.0\.2\.200/);
  },
);

story(
  "an address whose VirtualIP a newer version has made unreadable stays, and goes when that is deleted",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const addresses = () => fixture.nft.table("ip", "bellhop")?.sets.get("service_addresses")?.elements.size;
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { services: "of a later version" } });
    await fixture.settle();
    await fixture.clock.advance(4_000);
    assert.deepEqual([fixture.responder.announced, addresses()], [["192.0.2.200 eth0"], 1]);
    await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
    await fixture.settle();
    assert.deepEqual([fixture.responder.announced, addresses()], [[], 0]);
  },
);

story("a Service that is deleted leaves no rules, and its address is withdrawn", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.api.request({ method: "DELETE", path: "/api/v1/namespaces/default/services/web" });
  await fixture.settle();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("dnat_services")?.elements.size, 0);
  await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("service_addresses")?.elements.size, 0);
});

story("the end leaves rules and lease, and stops the responder last", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.stop();
  assert.equal(fixture.responder.alive, false);
  assert.ok(fixture.nft.table("ip", "bellhop") !== undefined);
  const lease = await fixture.get<{ spec: { holderIdentity: string } }>(leasePath("bellhop-system", "speaker-n1"));
  assert.equal(lease.spec.holderIdentity, "n1");
});

story("a restart while the API server is away announces again what was announced, after a probe", async (fixture) => {
  await fixture.populate("n1");
  await fixture.serve("192.0.2.201", ["n2", "n1"], "other");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const kept = fixture.lastStakes;
  assert.ok(kept !== undefined);
  const next = new SpeakerFixture();
  try {
    next.lastStakes = kept;
    next.api.intercept = () => {
      throw new BellhopError("ApiUnreachable", "no route");
    };
    await next.start();
    await next.clock.advance(2_000);
    assert.deepEqual(next.responder.stakes, []);
    await next.clock.advance(1_000);
    await next.settle();
    assert.deepEqual(next.responder.stakes, ["192.0.2.200", "192.0.2.201"]);
    assert.deepEqual(next.responder.announced, [], "the LAN is asked first");
    await pass(next, 300);
    assert.deepEqual(next.responder.announced, ["192.0.2.200 eth0"]);
    assert.equal(next.journal.filter((entry) => entry.startsWith("rules")).length, 0);
    assert.equal(next.lastStakes, kept, "the next speaker may need it, too");
  } finally {
    await next.stop();
  }
});

story("the status of a new address is written once", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.serve("192.0.2.201", ["n1", "n2"], "other");
  await fixture.settle();
  await fixture.clock.advance(20_000);
  const patches = fixture.api.writes.filter(({ path }) => path.includes("/virtualips/192.0.2.201/"));
  assert.deepEqual([(await fixture.virtualIp("192.0.2.201")).status?.node, patches.length], ["n1", 1]);
});

story("an address that the node is no longer an owner of is kept for the next speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { owners: ["n2"] } });
  fixture.responder.options?.changes.factsObserved([{ kind: "released", address: "192.0.2.200", to: "n2" }]);
  await fixture.clock.advance(3_000);
  await fixture.settle();
  assert.deepEqual(JSON.parse(fixture.lastStakes ?? "").former, [{ address: "192.0.2.200", previous: [] }]);
});

for (const { words, afterMs, journal } of [
  { words: "at once continues by the same claims", afterMs: 0, journal: ["resume 192.0.2.200"] },
  { words: "within 5 s does, too", afterMs: 5000, journal: ["resume 192.0.2.200"] },
  { words: "later does not: other nodes have taken over", afterMs: 5001, journal: [] },
  { words: "before the end of the one before, by a clock that was set back, does not", afterMs: -1, journal: [] },
]) {
  story(`a speaker that starts again ${words}`, async (fixture) => {
    await fixture.populate("n1");
    await fixture.serve("192.0.2.201", ["n2", "n1"], "other");
    await fixture.start();
    await fixture.clock.advance(3_000);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    await fixture.stop();
    const { lastStakes = "" } = fixture;
    const endedMs = parseLastStakes(lastStakes, "n1")?.restart?.atMs ?? Number.NaN;
    const next = new SpeakerFixture();
    next.lastStakes = lastStakes;
    await next.clock.advance(endedMs + afterMs - next.clock.wallMs());
    await next.start();
    assert.deepEqual(
      next.journal.filter((entry) => entry.startsWith("resume")),
      journal,
    );
    await next.stop();
  });
}

story("a speaker that leaves keeps no claims", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.patch("/api/v1/nodes/n1", { spec: { unschedulable: true } });
  await fixture.settle();
  await fixture.stop();
  assert.equal(parseLastStakes(fixture.lastStakes ?? "", "n1")?.restart, undefined);
});

story("an address that another device answers for meanwhile is not announced after such a restart", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const next = new SpeakerFixture();
  try {
    next.lastStakes = fixture.lastStakes;
    next.api.intercept = () => {
      throw new BellhopError("ApiUnreachable", "no route");
    };
    await next.start();
    await next.clock.advance(3_000);
    await next.settle();
    next.responder.sockets.socket("eth0", "arp")?.inbox.push(arpRequest("192.0.2.11", "192.0.2.200"));
    next.responder.turn();
    await next.clock.advance(1_000);
    next.responder.turn();
    await next.settle();
    assert.deepEqual(next.responder.announced, []);
  } finally {
    await next.stop();
  }
});

story("the death of the responder ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.responder.options?.changes.responderDied(new BellhopError("WorkerFailed", "the responder thread ended"));
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), { code: "WorkerFailed" });
});

for (const [words, node, intent] of [
  ["a node that stays", {}, "restart"],
  ["a cordoned node", { spec: { unschedulable: true } }, "leave"],
  [
    "a node that is excluded from load balancers",
    { metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } } },
    "leave",
  ],
] as const) {
  story(`when the speaker of ${words} ends, it tells the others that it does so to ${intent}`, async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch("/api/v1/nodes/n1", node);
    await fixture.start();
    await fixture.stop();
    assert.equal(fixture.journal.at(-1), `leave with the intent to ${intent}`);
  });
}

story("the Speaker lists the peers that are heard and lost, from the first one on", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const peers = async () => {
    await fixture.clock.advance(2_000);
    return (await fixture.get<Speaker>(ownPath("speakers", "n1"))).status?.peers;
  };
  assert.equal(await peers(), undefined);
  fixture.responder.options?.changes.hearingChanged({ heard: ["n3", "n2"], lost: ["n4"] });
  const reported = { bootNonce: "nonce", hearing: ["n2", "n3"], lost: ["n4"], frozenNodes: [] };
  assert.deepEqual(await peers(), { ...reported, deadNodes: [] });
  fixture.responder.options?.changes.factsObserved([{ kind: "peerDown", node: "n4", nodeDead: true, frozen: true }]);
  assert.deepEqual(await peers(), { ...reported, deadNodes: ["n4"], frozenNodes: ["n4"] });
  fixture.responder.options?.changes.factsObserved([{ kind: "peerUp", node: "n4" }]);
  assert.deepEqual(await peers(), { ...reported, deadNodes: [] });
  assert.match(await fixture.registry.metrics(), /bellhop_speaker_peers\{state="alive"\} 2/);
});

story("the Speaker says what is wrong with the key of heartbeats", async (fixture) => {
  await fixture.populate("n1");
  const path = "/api/v1/namespaces/bellhop-system/secrets";
  const keyOf = (bytes: number) => Buffer.alloc(bytes, 1).toString("base64");
  const metadata = { name: "bellhop-heartbeat", namespace: "bellhop-system" };
  await fixture.api.request({ method: "POST", path, body: { metadata, data: { current: keyOf(3) } } });
  await fixture.start();
  const reported = async () => {
    await fixture.clock.advance(2_000);
    const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
    const found = status?.conditions?.find(({ type }) => type === "Heartbeats");
    return [found?.status, found?.reason];
  };
  assert.deepEqual(await reported(), ["False", "HeartbeatKeyInvalid"]);
  await fixture.patch(`${path}/bellhop-heartbeat`, { data: { current: keyOf(32) } });
  assert.deepEqual(await reported(), ["True", "KeyUsable"]);
  await fixture.api.request({ method: "DELETE", path: `${path}/bellhop-heartbeat` });
  await fixture.clock.advance(100_000);
  assert.deepEqual(await reported(), ["False", "HeartbeatKeyMissing"]);
});

story("the death of the kernel thread ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.kernel.options?.changes.kernelDied(new BellhopError("WorkerFailed", "the kernel thread ended"));
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), { code: "WorkerFailed" });
});

story("a kernel thread that does not start ends the speaker, and with it the responder", async (fixture) => {
  fixture.kernel.start = () => Promise.reject(new BellhopError("WorkerFailed", "the kernel thread ended"));
  await assert.rejects(fixture.speaker.run(new AbortController().signal), { code: "WorkerFailed" });
  assert.equal(fixture.responder.alive, false);
});

story("a call to the kernel that takes long is why the speaker is not ready", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(2_000);
  fixture.kernel.silentMs = 29_000;
  assert.deepEqual(fixture.speaker.unready, []);
  fixture.kernel.silentMs = 31_000;
  assert.deepEqual(fixture.speaker.unready, ["the kernel thread waits for the kernel"]);
});

story(
  "a table that another program has changed is replaced at once, and the other family is left alone",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const written = fixture.journal.length;
    const changes = fixture.kernel.options?.changes;
    changes?.tableChanged({ family: netfilterFamilies.ip, name: "bellhop" }, "the table is gone");
    await fixture.settle();
    assert.deepEqual(fixture.journal.slice(written), ["rules ip"]);
    assert.equal(fixture.nft.accepted.at(-1)?.commands[1]?.kind, "deleteTable");
    assert.match(await fixture.registry.metrics(), /^bellhop_nft_foreign_changes_total\{family="IPv4"\} 1$/m);
    // A program that does it again and again is not fought without a pause.
    changes?.tableChanged({ family: netfilterFamilies.ip, name: "bellhop" }, "the table is gone");
    await fixture.settle();
    assert.deepEqual(fixture.journal.slice(written), ["rules ip"]);
    await fixture.clock.advance(250);
    assert.deepEqual(fixture.journal.slice(written), ["rules ip", "rules ip"]);
  },
);

story(
  "when another program flushes the tables of both families again, neither waits for the other",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const flush = (): readonly string[] => {
      for (const family of [netfilterFamilies.ip, netfilterFamilies.ip6])
        fixture.kernel.options?.changes.tableChanged({ family, name: "bellhop" }, "the table is gone");
      return fixture.journal.splice(0);
    };
    flush();
    await fixture.settle();
    assert.deepEqual(flush().toSorted(), ["rules ip", "rules ip6"]);
    await fixture.clock.advance(250);
    assert.deepEqual(fixture.journal.toSorted(), ["rules ip", "rules ip6"]);
  },
);

story("a changed interface is noticed when the kernel reports it, and not at the next tick", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  fixture.links = [];
  fixture.kernel.options?.changes.networkChanged();
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
});

story("what the kernel lacks is why the speaker is not ready, once rules need it", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv4", feature: "masquerading", reason: "ENOENT" }];
  fixture.nft.run = () => Promise.reject(new BellhopError("NftFailed", "ENOENT"));
  await fixture.populate("n1");
  await fixture.start();
  assert.equal(fixture.speaker.unready[0], "the kernel lacks for IPv4: masquerading");
});

story(
  "endpoints on a node that is dead take no connections, and those on one whose speaker alone is dead do",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1", {
      endpoints: [
        { addresses: ["10.244.1.2"], nodeName: "n1", conditions: { ready: true } },
        { addresses: ["10.244.2.2"], nodeName: "n2", conditions: { ready: true } },
      ],
    });
    await fixture.start();
    const endpoints = () => fixture.nft.table("ip", "bellhop")?.sets.get("tcp_endpoints")?.elements.size;
    const observe = async (fact: Fact) => {
      fixture.responder.options?.changes.factsObserved([fact]);
      await fixture.settle();
    };
    await fixture.clock.advance(120_000);
    await fixture.settle();
    assert.equal(endpoints(), 0, "kube-proxy delivers");
    await observe({ kind: "peerDown", node: "n2", nodeDead: false });
    assert.equal(endpoints(), 0);
    await observe({ kind: "peerDown", node: "n2", nodeDead: true });
    assert.equal(endpoints(), 1, "straight to the one that lives");
    await observe({ kind: "peerUp", node: "n2" });
    assert.equal(endpoints(), 2, "until kube-proxy had its time");
  },
);

story("a kernel that cannot pass packets on keeps no speaker from being ready", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv4", chain: "pass_on", feature: "passing on", reason: "ENOENT" }];
  fixture.nft.run = () => Promise.reject(new BellhopError("NftFailed", "ENOENT"));
  await fixture.populate("n1");
  await fixture.start();
  assert.ok(!fixture.speaker.unready.some((fault) => fault.includes("passing on")), fixture.speaker.unready.join());
});

story("a kernel without IPv6 keeps no speaker from being ready where no address of IPv6 is in use", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv6", feature: "masquerading", reason: "ENOENT" }];
  await fixture.populate("n1");
  await fixture.start();
  assert.deepEqual(fixture.speaker.unready, []);
});

story("after the Node is registered again, the Speaker object and the lease belong to the new one", async (fixture) => {
  type Owned = { readonly metadata: { readonly uid: string; readonly ownerReferences?: readonly { uid: string }[] } };
  const node = () => fixture.get<Owned>("/api/v1/nodes/n1");
  const ownersOf = async (path: string) =>
    (await fixture.get<Owned>(path)).metadata.ownerReferences?.map(({ uid }) => uid);
  const identity = ownPath("speakeridentities", "n1");
  const written = [ownPath("speakers", "n1"), identity, leasePath("bellhop-system", "speaker-n1")];
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const first = (await node()).metadata.uid;
  for (const path of written) assert.deepEqual(await ownersOf(path), [first]);
  await fixture.api.request({ method: "DELETE", path: "/api/v1/nodes/n1" });
  // As the garbage collector does.
  for (const path of written) await fixture.api.request({ method: "DELETE", path });
  await fixture.post("/api/v1/nodes", { metadata: { name: "n1" } });
  await fixture.settle();
  await fixture.clock.advance(3_000);
  const second = (await node()).metadata.uid;
  assert.notEqual(second, first);
  for (const path of written) assert.deepEqual(await ownersOf(path), [second]);
});

type Identity = { readonly spec: { readonly addresses: readonly string[]; readonly macs: readonly string[] } };
const identityPath = ownPath("speakeridentities", "n1");

story("the SpeakerIdentity is written when it has changed or was deleted, and otherwise not", async (fixture) => {
  const identity = async () => (await fixture.get<Identity>(identityPath)).spec;
  const writes = () => fixture.api.writes.filter(({ path }) => path.startsWith(ownPath("speakeridentities"))).length;
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual(await identity(), {
    addresses: ["192.0.2.11"],
    port: 7482,
    macs: ["02:00:00:00:00:01"],
    kubeletPort: 10250,
  });
  const before = writes();
  await fixture.patch("/api/v1/nodes/n1/status", { conditions: [{ type: "Ready", status: "True" }] });
  await fixture.clock.advance(600_000);
  await fixture.settle();
  assert.equal(writes(), before);
  fixture.links = [link("eth0", "192.0.2.11/24"), link("eth1", "198.51.100.11/24", { mac: "02:00:00:00:00:02" })];
  await fixture.clock.advance(3_000);
  await fixture.settle();
  assert.deepEqual((await identity()).macs, ["02:00:00:00:00:01", "02:00:00:00:00:02"]);
  await fixture.patch(identityPath, { spec: { addresses: ["203.0.113.9"] } });
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual((await identity()).addresses, ["192.0.2.11"]);
  await fixture.api.request({ method: "DELETE", path: identityPath });
  await fixture.settle();
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual((await identity()).addresses, ["192.0.2.11"]);
});

story("a speaker that finds its SpeakerIdentity as it should be writes nothing", async (fixture) => {
  await fixture.populate("n1");
  const spec = { addresses: ["192.0.2.11"], port: 7482, macs: ["02:00:00:00:00:01"], kubeletPort: 10250 };
  await fixture.post(ownPath("speakeridentities"), { metadata: { name: "n1" }, spec });
  const before = fixture.api.writes.length;
  await fixture.start();
  await fixture.clock.advance(3_000);
  const written = fixture.api.writes.slice(before).map(({ path }) => path);
  assert.deepEqual(
    written.filter((path) => path.startsWith(ownPath("speakeridentities"))),
    [],
  );
});

story("without the kind SpeakerIdentity the speaker announces, and writes it once the kind exists", async (fixture) => {
  let missing = true;
  fixture.api.intercept = ({ path }) => {
    if (missing && path.startsWith(ownPath("speakeridentities"))) throw new ApiError(404, "NotFound", "no such kind");
  };
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  missing = false;
  await fixture.clock.advance(120_000);
  await fixture.settle();
  assert.deepEqual((await fixture.get<Identity>(identityPath)).spec.addresses, ["192.0.2.11"]);
});

story("a bug while rules are written ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.nft.run = async () => {
    throw new TypeError("a bug");
  };
  await fixture.claim("192.0.2.201", ["n1"]);
  await fixture.settle();
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), TypeError);
});

story("a speaker that does not run yet names everything that is missing", async (fixture) => {
  assert.deepEqual(fixture.speaker.unready, [
    "services are not listed yet",
    "slices are not listed yet",
    "virtualIps are not listed yet",
    "nodes are not listed yet",
    "identities are not listed yet",
    "secrets are not listed yet",
    "the kernel thread is not running",
    "the responder thread is not running",
    "the IPv4 rules are not written yet",
    "the IPv6 rules are not written yet",
  ]);
});

story("the rules are replaced now and then", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const before = fixture.nft.accepted.length;
  await fixture.clock.advance(settings.resyncSeconds * 1100);
  await fixture.settle();
  assert.ok(fixture.nft.accepted.length > before);
  assert.equal(fixture.nft.accepted.at(-2)?.commands[1]?.kind, "deleteTable");
});

story(
  "settings of the node that drop packets are reported within ten seconds, and again when they are cured",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    await fixture.clock.advance(3_000);
    const status = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      return {
        cannotServe: status?.interfaces.flatMap(({ name, cannotServe = [] }) => (cannotServe.length > 0 ? [name] : [])),
        faults: status?.conditions?.filter((condition) => condition.status === "False").map(({ reason }) => reason),
      };
    };
    assert.deepEqual(await status(), { cannotServe: [], faults: [] });
    fixture.sysctls.set("/proc/sys/net/ipv4/conf/eth0/forwarding", "0\n");
    await fixture.clock.advance(12_000);
    assert.deepEqual(await status(), { cannotServe: ["eth0"], faults: ["ForwardingDisabled"] });
    assert.match(await fixture.registry.metrics(), /bellhop_speaker_host_faults\{reason="ForwardingDisabled"\} 1/);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"], "as long as the controller has no better node");
    fixture.sysctls.set("/proc/sys/net/ipv4/conf/eth0/forwarding", "1\n");
    await fixture.clock.advance(12_000);
    assert.deepEqual(await status(), { cannotServe: [], faults: [] });
  },
);

/** How many ports are rewritten to node ports, and how many endpoints are reached directly, over IPv4. */
function forwardingSizes({ nft }: SpeakerFixture): readonly (number | undefined)[] {
  return ["node_ports", "tcp_endpoints"].map((set) => nft.table("ip", "bellhop")?.sets.get(set)?.elements.size);
}

story(
  "node ports that kube-proxy does not open at the InternalIP are not used, and a condition says so",
  async (fixture) => {
    await fixture.populate("n1");
    fixture.nodePortAddresses = ["198.51.100.0/24"];
    await fixture.start();
    const faults = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      const own = status?.conditions?.filter(({ type, status: state }) => type === "NodePorts" && state === "False");
      return own?.map(({ reason }) => reason);
    };
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), [], "no Service depends on it");
    const annotations = { "bellhop.dev/forwarding": "nodeport" };
    await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
    await fixture.clock.advance(10_000);
    assert.deepEqual(await faults(), ["NodePortsClosed"]);
    assert.deepEqual(forwardingSizes(fixture), [0, 1]);
    fixture.nodePortAddresses = undefined;
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), ["NodePortsClosed"], "kube-proxy restarts");
    fixture.nodePortAddresses = ["primary"];
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), []);
    assert.deepEqual(forwardingSizes(fixture), [1, 0]);
  },
);

story("a speaker that starts never writes node ports that kube-proxy does not open", async (fixture) => {
  await fixture.populate("n1");
  fixture.nodePortAddresses = ["198.51.100.0/24"];
  const annotations = { "bellhop.dev/forwarding": "nodeport" };
  await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
  await fixture.start();
  assert.deepEqual(forwardingSizes(fixture), [0, 1]);
});

story("node ports are not used at an InternalIP that is on no interface, until one has it", async (fixture) => {
  await fixture.populate("n1");
  const annotations = { "bellhop.dev/forwarding": "nodeport" };
  await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
  fixture.links = [link("eth0", "192.0.2.12/24")];
  await fixture.start();
  assert.deepEqual(forwardingSizes(fixture), [0, 1]);
  fixture.links = [link("eth0", "192.0.2.11/24")];
  await fixture.clock.advance(3_000);
  assert.deepEqual(forwardingSizes(fixture), [1, 0]);
});
