import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AddressAllocations } from "../../../../controller/allocate/allocations/address-allocations.ts";
import { ObservedNodes } from "../../../../controller/observe/observed-nodes.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { type Speaker, speakerSchema } from "../../../../src/api/speaker.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";

interface Interface {
  readonly name: string;
  readonly mac?: string;
  readonly up?: boolean;
  readonly addresses: readonly string[];
}

function speaker(interfaces: readonly Interface[], more: Record<string, unknown> = {}): Speaker {
  const list = interfaces.map((entry) => ({ mac: "02:00:00:00:00:01", up: true, ...entry }));
  return speakerSchema.parse({ metadata: { name: "n1" }, status: { interfaces: list, ...more } });
}

const advertisement = l2AdvertisementSchema.parse({
  metadata: { name: "a" },
  spec: { interfaces: ["eth*", "eth0.20"] },
});
const eth0 = { name: "eth0", addresses: ["192.0.2.1/24", "2001:db8::1/64"] };
const before = speaker([eth0]);
const node = projectNode({ metadata: { name: "n1" } });

const cases: readonly { readonly name: string; readonly after: Speaker | undefined; readonly changed: boolean }[] = [
  { name: "the same again", after: speaker([eth0]), changed: false },
  { name: "the addresses that it announces", after: speaker([eth0], { announcing: ["192.0.2.9"] }), changed: false },
  { name: "the interface of a pod", after: speaker([eth0, { name: "veth1", addresses: [] }]), changed: false },
  {
    name: "an interface of one address, as of kube-proxy in ipvs mode and some networks of pods",
    after: speaker([eth0, { name: "kube-ipvs0", addresses: ["10.96.0.1/32"] }]),
    changed: false,
  },
  {
    name: "an interface that is down",
    after: speaker([eth0, { name: "eth1", up: false, addresses: ["198.51.100.1/24"] }]),
    changed: false,
  },
  { name: "another hardware address", after: speaker([{ ...eth0, mac: "02:00:00:00:00:02" }]), changed: false },
  {
    name: "another address in the same subnets",
    after: speaker([{ ...eth0, addresses: ["2001:db8::7/64", "192.0.2.7/24"] }]),
    changed: false,
  },
  { name: "an interface that goes down", after: speaker([{ ...eth0, up: false }]), changed: true },
  { name: "a subnet less", after: speaker([{ ...eth0, addresses: ["192.0.2.1/24"] }]), changed: true },
  {
    name: "one more interface with a LAN",
    after: speaker([eth0, { name: "eth1", addresses: ["198.51.100.1/24"] }]),
    changed: true,
  },
  {
    name: "an interface without addresses that an advertisement names",
    after: speaker([eth0, { name: "eth0.20", addresses: [] }]),
    changed: true,
  },
  { name: "another name of the interface", after: speaker([{ ...eth0, name: "bond0" }]), changed: true },
  { name: "the speaker is gone", after: undefined, changed: true },
];

describe("what of a speaker's report changes which addresses it may announce", () => {
  for (const { name, after, changed } of cases) {
    test(`${name}: ${changed ? "yes" : "no"}`, () => {
      const speakers = new Map([["n1", before]]);
      const allocations = new AddressAllocations();
      const nodes = new ObservedNodes(
        {
          speakers: { views: speakers },
          nodes: { views: new Map([["n1", node]]) },
          advertisements: { views: new Map([["a", advertisement]]) },
        } as never,
        allocations,
      );
      assert.equal(nodes.observeSpeaker("n1"), true);
      if (after === undefined) speakers.delete("n1");
      else speakers.set("n1", after);
      assert.equal(nodes.observeSpeaker("n1"), changed);
    });
  }

  test("an interface without addresses counts from the moment when an advertisement names it", () => {
    const vlan = { name: "eth0.20", addresses: [] };
    const speakers = new Map([["n1", speaker([eth0, vlan])]]);
    const advertisements = new Map<string, typeof advertisement>();
    const nodes = new ObservedNodes(
      {
        speakers: { views: speakers },
        nodes: { views: new Map([["n1", node]]) },
        advertisements: { views: advertisements },
      } as never,
      new AddressAllocations(),
    );
    const report = (up: boolean): boolean => {
      speakers.set("n1", speaker([eth0, { ...vlan, up }]));
      return nodes.observeSpeaker("n1");
    };
    assert.deepEqual([report(true), report(false), report(true)], [true, false, false]);
    advertisements.set("a", advertisement);
    nodes.advertisementsChanged();
    assert.deepEqual([report(false), report(false), report(true)], [true, false, true]);
    nodes.advertisementsChanged();
    assert.equal(report(true), false, "the same names as before");
  });

  test("all addresses of interfaces are blocked, also where the interface is down or has no LAN", () => {
    const speakers = new Map([["n1", before]]);
    const allocations = new AddressAllocations();
    const nodes = new ObservedNodes(
      {
        speakers: { views: speakers },
        nodes: { views: new Map([["n1", node]]) },
        advertisements: { views: new Map([["a", advertisement]]) },
      } as never,
      allocations,
    );
    const blocked = (text: string) => allocations.blockedBy(parseAddress(text) as IpAddress) !== undefined;
    nodes.observeSpeaker("n1");
    assert.deepEqual([blocked("192.0.2.1"), blocked("192.0.2.255"), blocked("192.0.2.5")], [true, true, false]);
    const dummy = { name: "dummy0", addresses: ["192.0.2.5/32"] };
    const eth1 = { name: "eth1", up: false, addresses: ["198.51.100.1/24"] };
    speakers.set("n1", speaker([eth0, dummy, eth1]));
    assert.equal(nodes.observeSpeaker("n1"), false);
    assert.deepEqual([blocked("192.0.2.5"), blocked("198.51.100.1")], [true, true]);
    speakers.delete("n1");
    nodes.observeSpeaker("n1");
    assert.deepEqual([blocked("192.0.2.1"), blocked("192.0.2.5"), blocked("198.51.100.1")], [false, false, false]);
  });

  test("a Node that is gone blocks no address, although its Speaker is still there", () => {
    const views = new Map([["n1", node]]);
    const speakers = new Map([["n1", before]]);
    const allocations = new AddressAllocations();
    const nodes = new ObservedNodes(
      { speakers: { views: speakers }, nodes: { views }, advertisements: { views: new Map() } } as never,
      allocations,
    );
    const blocked = () => allocations.blockedBy(parseAddress("192.0.2.1") as IpAddress) !== undefined;
    nodes.observeSpeaker("n1");
    assert.equal(blocked(), true);
    views.delete("n1");
    nodes.observeNode("n1");
    assert.equal(blocked(), false);
    views.set("n1", node);
    nodes.observeNode("n1");
    assert.equal(blocked(), true);
  });

  test("the default gateway of a node is blocked, and named as such", () => {
    const speakers = new Map([["n1", speaker([eth0], { gateways: ["192.0.2.254", "not an address"] })]]);
    const allocations = new AddressAllocations();
    const views = new Map([["n1", node]]);
    const nodes = new ObservedNodes(
      { speakers: { views: speakers }, nodes: { views }, advertisements: { views: new Map() } } as never,
      allocations,
    );
    const blocked = () => allocations.blockedBy(parseAddress("192.0.2.254") as IpAddress);
    nodes.observeSpeaker("n1");
    assert.equal(blocked(), "192.0.2.254 is the default gateway of Node n1.");
    speakers.set("n1", speaker([eth0], { gateways: ["192.0.2.253"] }));
    assert.equal(nodes.observeSpeaker("n1"), false);
    assert.equal(blocked(), undefined);
  });
});
