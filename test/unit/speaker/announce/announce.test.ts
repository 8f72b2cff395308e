import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Conflict, ConflictTracker } from "../../../../speaker/announce/conflicts.ts";
import { MulticastGroups } from "../../../../speaker/announce/multicast-groups.ts";
import { announcedInterfaceOf, type PlannedStake, StakePlan } from "../../../../speaker/announce/stake-plan.ts";
import type { Link } from "../../../../speaker/links/link.ts";
import { statusPatch } from "../../../../speaker/report/virtual-ip-status.ts";
import { ServiceIndex } from "../../../../speaker/service-index.ts";
import { managedByController, managedByLabel } from "../../../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { subnetOf } from "../../../../src/ip/range.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { reasonOf } from "../../../../src/model/reason.ts";
import { address } from "../responder/frames.ts";

function link(name: string, ...cidrs: readonly string[]): Link {
  const subnets = cidrs.flatMap((cidr) => subnetOf(cidr) ?? []);
  return { name, index: 1, mac: "02:00:00:00:00:01", up: true, addresses: cidrs, subnets };
}

function virtualIp(text: string, spec: Partial<VirtualIP["spec"]> = {}, status?: VirtualIP["status"]): VirtualIP {
  const services = [{ namespace: "default", name: "web" }];
  return virtualIpSchema.parse({
    metadata: { name: text.replaceAll(":", "-") },
    spec: { address: text, services, owners: ["n1", "n2"], ...spec },
    ...(status === undefined ? {} : { status }),
  });
}

function ofController(object: VirtualIP): VirtualIP {
  return { ...object, metadata: { ...object.metadata, labels: { [managedByLabel]: managedByController } } };
}

function planOf(virtualIps: readonly VirtualIP[]): StakePlan {
  const plan = new StakePlan("n1");
  plan.rebuild(links, new Map(virtualIps.map((one) => [one.metadata.name, one])));
  return plan;
}

function planStakes(virtualIps: readonly VirtualIP[]): readonly PlannedStake[] {
  const plan = planOf(virtualIps);
  return [...plan.texts].flatMap((text) => plan.get(text) ?? []);
}

const links = [link("eth0", "192.0.2.11/24", "2001:db8::11/64"), link("eth0.20"), link("eth1", "198.51.100.11/24")];

for (const [name, object, interfaces] of [
  ["the first owner has a stake", virtualIp("192.0.2.200"), ["eth0"]],
  ["so has the second", virtualIp("192.0.2.200", { owners: ["n2", "n1"] }), ["eth0"]],
  ["another node has none", virtualIp("192.0.2.200", { owners: ["n2", "n3"] }), undefined],
  ["there is none in an address that no Service has", virtualIp("192.0.2.200", { services: [] }), undefined],
  ["a stake in an address of no LAN here has no interface", virtualIp("203.0.113.1"), []],
  [
    "spec.interfaces restricts a node without an entry of its own",
    virtualIp("192.0.2.200", { interfaces: ["eth1"] }),
    [],
  ],
  [
    "an entry of its own takes the place of spec.interfaces",
    virtualIp("192.0.2.200", { interfaces: ["eth1"], ownerInterfaces: [{ node: "n1", interfaces: ["eth0"] }] }),
    ["eth0"],
  ],
  [
    "an empty entry of its own allows every interface on the LAN",
    virtualIp("192.0.2.200", { interfaces: ["eth1"], ownerInterfaces: [{ node: "n1", interfaces: [] }] }),
    ["eth0"],
  ],
  [
    "the entry of another node does not count",
    virtualIp("192.0.2.200", { ownerInterfaces: [{ node: "n2", interfaces: ["eth1"] }] }),
    ["eth0"],
  ],
  [
    "an interface without addresses announces where it is named",
    virtualIp("203.0.113.1", { interfaces: ["eth0.20"] }),
    ["eth0.20"],
  ],
  ["what is no address is left out", virtualIp("192.0.2.300"), undefined],
  [
    "the owners of a reservation are in its status",
    virtualIp("192.0.2.200", { owners: [] }, { owners: [{ node: "n1", interfaces: [] }] }),
    ["eth0"],
  ],
  [
    "and so are their interfaces",
    virtualIp("203.0.113.1", { owners: [] }, { owners: [{ node: "n1", interfaces: ["eth0.20"] }] }),
    ["eth0.20"],
  ],
  [
    "owners in its spec count first: a controller of an earlier version leads",
    virtualIp("192.0.2.200", { owners: ["n2"] }, { owners: [{ node: "n1", interfaces: [] }] }),
    undefined,
  ],
  [
    "the status of a VirtualIP of the controller does not count",
    ofController(virtualIp("192.0.2.200", { owners: [] }, { owners: [{ node: "n1", interfaces: [] }] })),
    undefined,
  ],
] as const) {
  test(name, () => {
    assert.deepEqual(
      planStakes([object])[0]?.links.map((one) => one.name),
      interfaces,
    );
  });
}

test("packets are rewritten on every LAN that has an address, whichever node announces it", () => {
  const theirs = virtualIp("198.51.100.200", { owners: ["n2"] });
  assert.deepEqual(planOf([theirs]).lanInterfaces, ["eth1"]);
  assert.deepEqual(planOf([virtualIp("198.51.100.200", { services: [] })]).lanInterfaces, []);
});

test("packets are rewritten on a named interface without addresses as soon as the node is an owner", () => {
  const spec = { interfaces: ["eth0.20"] };
  const planned = (owners: string[]) => planOf([virtualIp("203.0.113.1", { ...spec, owners })]).lanInterfaces;
  assert.deepEqual(planned(["n2", "n1"]), ["eth0.20"]);
  assert.deepEqual(planned(["n2"]), []);
});

test("groups are joined once for each address and interface, spread over sockets, and left", async () => {
  const joined = new Set<string>();
  let sockets = 0;
  const groups = new MulticastGroups(async () => {
    sockets += 1;
    return {
      join: (group, name) => {
        assert.ok(!joined.has(`${group} ${name}`), "the kernel refuses to join twice");
        joined.add(`${group} ${name}`);
      },
      leave: (group, name) => void joined.delete(`${group} ${name}`),
      close: () => undefined,
    };
  }, silentLogger);
  const many = Array.from({ length: 100 }, (_, index) => `2001:db8::${(index + 16).toString(16)}`);
  // The same last 24 bits: one group for both.
  const twin = "2001:db8::1:0:10";
  const eth0 = links.slice(0, 1).flatMap((one) => announcedInterfaceOf(one) ?? []);
  for (const text of [...many, twin, "192.0.2.200"]) groups.put(text, address(text), eth0);
  await groups.done;
  assert.equal(joined.size, 100);
  assert.equal(sockets, 2);
  for (const text of many) groups.put(text, address(text), []);
  await groups.done;
  assert.deepEqual([...joined], ["ff02::1:ff00:10 eth0"]);
  groups.put(twin, address(twin), []);
  await groups.done;
  assert.equal(joined.size, 0);
});

test("a stake has the owners that take part, and the term of their list", () => {
  const stakeOf = (object: VirtualIP) => planStakes([object]).map(({ owners, term }) => ({ owners, term }));
  const object = virtualIp("192.0.2.200", { owners: ["n2", "n1", "n3", "n4"] });
  const changed = { ...object, metadata: { ...object.metadata, generation: 7 } };
  assert.deepEqual(stakeOf(changed), [{ owners: ["n2", "n1", "n3"], term: 7 }]);
});

test("a node that is no longer an owner keeps its stake, with the new owners, until it is forgotten", () => {
  const plan = planOf([virtualIp("192.0.2.200")]);
  plan.put("192.0.2.200", virtualIp("192.0.2.200", { owners: ["n2"] }));
  const stake = plan.get("192.0.2.200");
  assert.deepEqual([stake?.owners, stake?.links.map(({ name }) => name)], [["n2"], ["eth0"]]);
  plan.forget("192.0.2.200");
  assert.equal(plan.get("192.0.2.200"), undefined);
  plan.put("192.0.2.200", virtualIp("192.0.2.200"));
  plan.put("192.0.2.200", virtualIp("192.0.2.200", { owners: [] }));
  assert.equal(plan.get("192.0.2.200"), undefined, "no node may announce it");
});

test("of two VirtualIPs with one address, the one that is named by it counts", () => {
  const named = virtualIp("192.0.2.200", { owners: ["n2", "n1"] });
  const other = virtualIp("192.0.2.200", { owners: ["n1"] });
  const misnamed = { ...other, metadata: { ...other.metadata, name: "0-first" } };
  assert.deepEqual(planStakes([misnamed, named]), planStakes([named]));
});

const claim: Conflict = { address: "192.0.2.200", mac: "02:00:00:00:00:77", interfaceName: "eth0" };

test("frames of another device for up to 3 s are a takeover; if they last, they are a conflict until the device falls silent", () => {
  const tracker = new ConflictTracker();
  for (const atMs of [0, 50, 150, 400, 1000, 2000]) assert.equal(tracker.observe(claim, atMs), false);
  assert.equal(tracker.conflictOf(claim.address), undefined);
  assert.equal(tracker.observe(claim, 32_000), true);
  assert.equal(tracker.observe(claim, 62_000), false, "reported once");
  assert.deepEqual(tracker.conflictOf(claim.address), claim);
  assert.deepEqual(
    tracker.expire(100_000, () => true),
    [],
  );
  assert.deepEqual(
    tracker.expire(200_000, () => true),
    [claim.address],
  );
  assert.equal(tracker.count, 0);
});

test("a conflict about an address that was withdrawn is forgotten", () => {
  const tracker = new ConflictTracker();
  tracker.observe(claim, 0);
  tracker.observe(claim, 5_000);
  assert.deepEqual(
    tracker.expire(6_000, () => false),
    [claim.address],
  );
});

const now = "2026-01-01T00:00:00Z";
const holdersClaim = { createdSeconds: 1, term: 5, epoch: 1, rank: 1 };
const announcement = { text: "192.0.2.200", claim: holdersClaim, cause: "PeerDead", links: links.slice(0, 1) } as const;
const ours = {
  node: "n1",
  interfaces: ["eth0"],
  mac: "02:00:00:00:00:01",
  since: "2025-12-31T00:00:00Z",
  cause: "PeerDead",
  observedGeneration: 5,
};

test("the status is written at a takeover, kept by a restart, and changed with the interface", () => {
  const input = { node: "n1", announcement, mayAnnounce: true, conflict: undefined, refused: undefined, now };
  const theirs = { ...ours, node: "n2" };
  assert.deepEqual(statusPatch(virtualIp("192.0.2.200"), input), { ...ours, since: now });
  assert.deepEqual(statusPatch(virtualIp("192.0.2.200", {}, theirs), input), { ...ours, since: now });
  assert.equal(statusPatch(virtualIp("192.0.2.200", {}, ours), input), undefined);
  const changed = statusPatch(virtualIp("192.0.2.200", {}, { ...ours, mac: "02:00:00:00:00:02" }), input);
  assert.deepEqual(changed, ours, "since when does not change with the interface");
  const planned = { ...ours, cause: "Planned", observedGeneration: 4 };
  const renewed = statusPatch(virtualIp("192.0.2.200", {}, planned), input);
  assert.deepEqual(renewed, { ...planned, observedGeneration: 5 }, "nor does the cause with the list of owners");
});

test("an address is to be probed until a speaker has announced it, also one of a version that does not say so", () => {
  const probeOf = (spec: Partial<VirtualIP["spec"]>, status?: VirtualIP["status"]) =>
    planStakes([virtualIp("192.0.2.200", spec, status)])[0]?.isNew;
  assert.equal(probeOf({}), false);
  assert.equal(probeOf({ probe: true }), true);
  assert.equal(probeOf({ probe: true }, { probed: true }), false);
  assert.equal(probeOf({ probe: true }, { node: "n2" }), false);
});

test("only the first owner says that another device has an address that is not announced", () => {
  const conflict = { address: "192.0.2.200", mac: "02:00:00:00:00:77", interfaceName: "eth0" };
  const input = { announcement: undefined, mayAnnounce: false, conflict, refused: undefined, now };
  const object = virtualIp("192.0.2.200", { owners: ["n1", "n2"], probe: true });
  const patch = statusPatch(object, { ...input, node: "n1" });
  assert.deepEqual(
    patch?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [["Conflict", "True", "AddressInUse"]],
  );
  assert.equal(statusPatch(object, { ...input, node: "n2" }), undefined);
  const yielded = statusPatch(virtualIp("192.0.2.200", { owners: ["n1"] }, ours), { ...input, node: "n1" });
  assert.deepEqual([yielded?.node, yielded?.conditions?.length], [null, 1]);
});

test("the announcer says that its kernel refuses rules, whether it announces or not, and later that it does not", () => {
  const refused = reasonOf("RulesRefused", {
    object: "Service default/web",
    field: "",
    value: "n1",
    detail: "EINVAL.",
  });
  const before = virtualIp("192.0.2.200", { owners: ["n1"] });
  const input = { node: "n1", announcement: undefined, mayAnnounce: false, conflict: undefined, refused, now };
  const conditions = statusPatch(before, input)?.conditions ?? [];
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [["RulesWritten", "False", "RulesRefused"]],
  );
  assert.match(conditions[0]?.message ?? "", /kernel of n1 refuses .* Service default\/web.*EINVAL/);
  assert.deepEqual(statusPatch(before, { ...input, announcement })?.conditions, conditions);
  assert.equal(statusPatch(before, { ...input, node: "n2" }), undefined, "it does not announce it");
  const mended = statusPatch(virtualIp("192.0.2.200", { owners: ["n2"] }, { conditions: [...conditions] }), {
    ...input,
    node: "n2",
    refused: undefined,
  });
  assert.equal(mended?.conditions?.[0]?.status, "True");
});

test("a node that no longer announces removes its own status, but not when another node is the announcer", () => {
  const input = {
    node: "n1",
    announcement: undefined,
    mayAnnounce: false,
    conflict: undefined,
    refused: undefined,
    now,
  };
  const patch = (owners: string[], status: VirtualIP["status"]) =>
    statusPatch(virtualIp("192.0.2.200", { owners }, status), input);
  assert.equal(patch(["n2"], ours), undefined);
  assert.equal(patch([], ours)?.node, null);
  const soon = statusPatch(virtualIp("192.0.2.200", {}, ours), { ...input, mayAnnounce: true });
  assert.equal(soon, undefined, "what it announces soon");
  assert.equal(patch([], { ...ours, node: "n3" }), undefined);
});

test("an index of Services returns what was put in, and names the Services of before and after", () => {
  const key = fc.constantFrom("a", "b", "c");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("x", "y", "z"), fc.uniqueArray(key))), (steps) => {
      const index = new ServiceIndex();
      const model = new Map<string, readonly string[]>();
      for (const [object, services] of steps) {
        const touched = index.set(object, services);
        assert.deepEqual(new Set(touched), new Set([...(model.get(object) ?? []), ...services]));
        model.set(object, services);
      }
      for (const service of ["a", "b", "c"]) {
        const expected = [...model].filter(([, services]) => services.includes(service)).map(([object]) => object);
        assert.deepEqual(new Set(index.objectsOf(service)), new Set(expected));
      }
    }),
  );
});
