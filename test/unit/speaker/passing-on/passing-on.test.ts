import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressHolders } from "../../../../speaker/dataplane/holders.ts";
import { HolderHistory } from "../../../../speaker/passing-on/holder-history.ts";
import { PassingOn } from "../../../../speaker/passing-on/passing-on.ts";
import type { Peer } from "../../../../speaker/peers/peer.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { formatAddress, parseAddress } from "../../../../src/ip/address.ts";
import { link } from "../speaker-fixture.ts";

const vip = "192.0.2.200";

/** A story of who answers, `me` for this node, `nobody` where none is known, and what is known afterwards. */
for (const { story, current, previous } of [
  { story: ["me"], current: undefined, previous: undefined },
  { story: ["n2"], current: "n2", previous: [] },
  { story: ["n2", "me"], current: undefined, previous: ["n2"] },
  { story: ["n2", "n3", "me"], current: undefined, previous: ["n3", "n2"] },
  { story: ["n2", "n3"], current: "n3", previous: ["n2"] },
  { story: ["n2", "n3", "n4", "n5"], current: "n5", previous: ["n4"] },
  { story: ["n2", "nobody"], current: undefined, previous: ["n2"] },
  { story: ["n2", "me", "n3"], current: "n3", previous: ["n2"] },
  { story: ["n2", "me", "n3", "n4"], current: "n4", previous: ["n2", "n3"] },
  { story: ["n2", "me", "n3", "n2"], current: "n2", previous: ["n3"] },
  { story: ["n2", "n3", "me", "n4", "n3"], current: "n3", previous: ["n2", "n4"] },
  { story: ["n2", "me", "n3", "nobody"], current: undefined, previous: ["n3", "n2"] },
  { story: ["n2", "me", "n2"], current: "n2", previous: [] },
  { story: ["n2", "me", "n3", "me"], current: undefined, previous: ["n3", "n2"] },
  { story: ["n2", "n3", "n4", "me"], current: undefined, previous: ["n4", "n3"] },
]) {
  test(`after ${story.join(", ")} it is known who may know connections`, () => {
    const history = new HolderHistory();
    for (const node of story) {
      if (node === "me") history.begun(vip, undefined);
      else history.heldBy(vip, node === "nobody" ? undefined : node);
    }
    assert.deepEqual(history.of(vip), previous === undefined ? undefined : { current, previous });
    history.forget(vip);
    assert.equal(history.of(vip), undefined);
  });
}

test("a node that takes over knows from whom, although it never heard that node answer", () => {
  const history = new HolderHistory();
  assert.equal(history.begun(vip, "n2"), true);
  assert.equal(history.begun(vip, undefined), false);
  assert.deepEqual(history.of(vip), { current: undefined, previous: ["n2"] });
});

test("what an earlier speaker and the status of the VirtualIP say counts until something else is known", () => {
  const history = new HolderHistory();
  assert.equal(history.seed(vip, "n2", ["n3"]), true);
  assert.deepEqual(history.of(vip), { current: "n2", previous: ["n3"] });
  history.begun(vip, undefined);
  assert.deepEqual(history.of(vip), { current: undefined, previous: ["n2", "n3"] });
  assert.equal(history.seed(vip, "n4", []), false);
  assert.equal(new HolderHistory().seed(vip, undefined, []), false);
});

class FakeDataplane {
  readonly calls: string[] = [];

  setHolders(address: ReturnType<typeof parseAddress> & object, holders: AddressHolders | undefined): void {
    const { current, previous = [] } = holders ?? {};
    const text = (one: AddressHolders["current"]) =>
      one === undefined ? "-" : `${one.node} ${formatAddress(one.address)} ${one.device.name}`;
    this.calls.push(`${formatAddress(address)}: ${text(current)}, ${previous.map(text).join(", ")}`);
  }

  setPeer(node: string, macs: readonly string[]): void {
    this.calls.push(`${node}: ${macs.join(", ")}`);
  }

  setDeadNodes(nodes: ReadonlySet<string>): void {
    this.calls.push(`dead: ${[...nodes].join(", ")}`);
  }
}

/** n2 has 192.0.2.12, and so on. */
function peersOf(...nodes: readonly string[]): ReadonlyMap<string, Peer> {
  return new Map(
    nodes.map((node) => {
      const address = parseAddress(`192.0.2.1${node.slice(1)}`);
      return [
        node,
        { node, addresses: address === undefined ? [] : [address], port: 7482, kubeletPort: 10250, macs: [] },
      ];
    }),
  );
}

test("the data plane is given the way to each node, once for several changes, and again when the way changes", () => {
  const dataplane = new FakeDataplane();
  const addresses = ["192.0.2.12", "2001:db8::12"].flatMap((text) => parseAddress(text) ?? []);
  const n2: Peer = { node: "n2", addresses, port: 7482, kubeletPort: 10250, macs: ["02:00:00:00:00:12"] };
  const host = { links: [link("eth0", "192.0.2.11/24")] };
  const identities = { views: new Map([["n2", n2]]) };
  const passingOn = new PassingOn({ node: "n1", dataplane, identities, virtualIps: { views: new Map() }, host });
  passingOn.stakeAdded(vip, undefined);
  passingOn.stakeAdded("2001:db8::200", undefined);
  const applied = () => {
    passingOn.apply();
    return dataplane.calls.splice(0);
  };
  passingOn.peerChanged("n1");
  passingOn.peerChanged("n2");
  assert.deepEqual(applied(), ["n2: 02:00:00:00:00:12"]);
  passingOn.heldBy(vip, "n3");
  passingOn.heldBy(vip, "n2");
  passingOn.heldBy("2001:db8::200", "n2");
  assert.deepEqual(applied(), [`${vip}: n2 192.0.2.12 eth0, `, "2001:db8::200: -, "], "no LAN of IPv6 in common");
  passingOn.begun(vip, "n2");
  assert.equal(passingOn.deadNodesChanged(new Set(["n2"])), true);
  assert.equal(passingOn.deadNodesChanged(new Set(["n2"])), false);
  assert.deepEqual(applied(), ["dead: n2", `${vip}: -, n2 192.0.2.12 eth0`]);
  host.links = [];
  passingOn.linksChanged();
  passingOn.stakeRemoved("2001:db8::200");
  assert.deepEqual(applied(), ["2001:db8::200: -, ", `${vip}: -, `]);
  assert.deepEqual(applied(), []);
});

test("a speaker that starts again on the node that announces an address passes nothing on to its own node", () => {
  const dataplane = new FakeDataplane();
  const identities = { views: peersOf("n1", "n2") };
  const host = { links: [link("eth0", "192.0.2.11/24")] };
  const passingOn = new PassingOn({ node: "n1", dataplane, identities, virtualIps: { views: new Map() }, host });
  passingOn.restore([{ address: vip, previous: ["n1", "n2"] }], []);
  passingOn.stakeAdded(vip, "n1");
  passingOn.begun(vip, "n1");
  passingOn.apply();
  assert.deepEqual(dataplane.calls, [`${vip}: -, n2 192.0.2.12 eth0`]);
  assert.deepEqual(passingOn.previousOf(vip), ["n2"]);
});

/** A VirtualIP that a Service has, or none, announced by a node. */
function virtualIp(address: string, isUsed: boolean, node: string, owners: readonly string[] = []): VirtualIP {
  const services = isUsed ? [{ namespace: "default", name: "web" }] : [];
  return virtualIpSchema.parse({ metadata: { name: address }, spec: { address, services, owners }, status: { node } });
}

test("a node that is no longer an owner remembers who answered before it, until no Service has the address", () => {
  const dataplane = new FakeDataplane();
  const identities = { views: peersOf("n2", "n3", "n4") };
  const views = new Map([[vip, virtualIp(vip, true, "n2")]]);
  const host = { links: [link("eth0", "192.0.2.11/24")] };
  const passingOn = new PassingOn({ node: "n1", dataplane, identities, virtualIps: { views }, host });
  const applied = () => {
    passingOn.apply();
    return dataplane.calls.splice(0);
  };
  const change = (to: VirtualIP) => {
    views.set(vip, to);
    return passingOn.virtualIpChanged(vip);
  };
  passingOn.stakeAdded(vip, "n2");
  passingOn.begun(vip, "n2");
  applied();
  // As facts come when another node takes over from one that is no longer an owner.
  passingOn.stakeRemoved(vip);
  passingOn.heldBy(vip, "n3");
  assert.deepEqual(applied(), [`${vip}: n3 192.0.2.13 eth0, n2 192.0.2.12 eth0`]);
  assert.equal(change(virtualIp(vip, true, "n1")), false, "an old status");
  assert.equal(change(virtualIp(vip, true, "n3")), false);
  assert.equal(change(virtualIp(vip, true, "n4")), true);
  assert.deepEqual(applied(), [`${vip}: n4 192.0.2.14 eth0, n2 192.0.2.12 eth0, n3 192.0.2.13 eth0`]);

  passingOn.stakeAdded(vip, "n4");
  assert.equal(change(virtualIp(vip, true, "n3")), false, "the thread says it");
  passingOn.begun(vip, "n4");
  assert.deepEqual(passingOn.previousOf(vip), ["n4", "n3"]);
  passingOn.stakeRemoved(vip);
  assert.equal(change(virtualIp(vip, false, "n4")), true);
  assert.deepEqual(applied(), [`${vip}: -, `]);
  assert.equal(passingOn.heldBy(vip, "n4"), false, "a late fact");
  assert.deepEqual(applied(), []);
});

test("after a restart it passes on to the node that announced the address, whether the status names that one or none", () => {
  const dataplane = new FakeDataplane();
  const options = {
    node: "n1",
    dataplane,
    identities: { views: peersOf("n2") },
    virtualIps: { views: new Map() },
    host: { links: [link("eth0", "192.0.2.11/24")] },
  };
  const before = new PassingOn(options);
  before.stakeAdded(vip, "n2");
  before.heldBy(vip, "n2");
  for (const announcedBy of [undefined, "n1", "n2"]) {
    const after = new PassingOn(options);
    after.restore([{ address: vip, previous: before.previousOf(vip) }], []);
    after.stakeAdded(vip, announcedBy);
    after.apply();
    assert.deepEqual(dataplane.calls.splice(0), [
      announcedBy === "n2" ? `${vip}: n2 192.0.2.12 eth0, ` : `${vip}: -, n2 192.0.2.12 eth0`,
    ]);
  }
});

test("after a restart it still remembers who answered before it", () => {
  const dataplane = new FakeDataplane();
  const identities = { views: peersOf("n2", "n3") };
  const views = new Map<string, VirtualIP>();
  const options = {
    node: "n1",
    dataplane,
    identities,
    virtualIps: { views },
    host: { links: [link("eth0", "192.0.2.11/24")] },
  };
  const [unused, gone, again] = ["192.0.2.201", "192.0.2.202", "192.0.2.203"] as const;
  const former = [vip, unused, gone, again];
  const before = new PassingOn(options);
  for (const address of former) {
    views.set(address, virtualIp(address, true, "n3"));
    before.stakeAdded(address, "n2");
    before.begun(address, "n2");
    before.stakeRemoved(address);
    before.heldBy(address, "n3");
  }
  assert.deepEqual(before.former[0], { address: vip, previous: ["n3", "n2"] });

  views.clear();
  const after = new PassingOn(options);
  after.restore([], [...before.former, { address: "none", previous: [] }]);
  views.set(vip, virtualIp(vip, true, "n3"));
  views.set(unused, virtualIp(unused, false, "n3"));
  views.set(again, virtualIp(again, true, "n3", ["n3", "n1"]));
  assert.deepEqual(
    [vip, unused, gone, again].map((name) => after.virtualIpChanged(name)),
    [true, false, false, false],
  );
  after.everythingListed();
  after.stakeAdded(again, "n3");
  after.apply();
  const passes = (address: string) => `${address}: n3 192.0.2.13 eth0, n2 192.0.2.12 eth0`;
  assert.deepEqual(dataplane.calls, [passes(vip), passes(again)]);
  assert.deepEqual(after.former, [{ address: vip, previous: ["n3", "n2"] }]);
  views.set(gone, virtualIp(gone, true, "n3"));
  assert.equal(after.virtualIpChanged(gone), false, "another Service has it since");
  views.set(vip, virtualIp(vip, true, "n2"));
  assert.equal(after.virtualIpChanged(vip), true);
});

test("of addresses that a node was an owner of, it remembers the last ten thousand", () => {
  const dataplane = new FakeDataplane();
  const views = new Map<string, VirtualIP>();
  const passingOn = new PassingOn({
    node: "n1",
    dataplane,
    identities: { views: new Map() },
    virtualIps: { views },
    host: { links: [] },
  });
  const addresses = Array.from({ length: 10_001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  for (const address of addresses) {
    views.set(address, virtualIp(address, true, "n2"));
    passingOn.stakeAdded(address, "n2");
    passingOn.begun(address, "n2");
    passingOn.stakeRemoved(address);
  }
  assert.deepEqual(passingOn.previousOf("10.0.0.0"), []);
  assert.deepEqual(passingOn.previousOf("10.0.0.1"), ["n2"]);
});

test("a new stake in an address that another node announces waits for one write, others for none", () => {
  const dataplane = new FakeDataplane();
  const host = { links: [link("eth0", "192.0.2.11/24")] };
  const views = new Map([[vip, virtualIp(vip, true, "n2")]]);
  const passingOn = new PassingOn({
    node: "n1",
    dataplane,
    identities: { views: new Map() },
    virtualIps: { views },
    host,
  });
  passingOn.apply();
  assert.equal(passingOn.mustWait(vip, "n2"), true);
  assert.deepEqual(passingOn.written(), [], "the write that was under way");
  passingOn.apply();
  assert.equal(passingOn.mustWait(vip, "n2"), true, "not written yet");
  assert.deepEqual(passingOn.written(), [vip]);
  assert.equal(passingOn.mustWait(vip, "n2"), false);
  assert.deepEqual(passingOn.written(), []);

  passingOn.stakeRemoved(vip);
  assert.equal(passingOn.mustWait(vip, "n2"), true, "an owner again: the others may be new");
  passingOn.stakeRemoved(vip);
  passingOn.apply();
  assert.deepEqual(passingOn.written(), [], "removed before it was written");

  for (const announcedBy of [undefined, "n1"]) assert.equal(passingOn.mustWait("192.0.2.201", announcedBy), false);
  passingOn.deadNodesChanged(new Set(["n3"]));
  assert.equal(passingOn.mustWait("192.0.2.202", "n3"), false, "no packet is passed on to a dead node");
  passingOn.apply();
  dataplane.calls.length = 0;
  passingOn.stakeRemoved("192.0.2.250");
  passingOn.apply();
  assert.deepEqual(dataplane.calls, [], "it never had a stake in that one");
});
