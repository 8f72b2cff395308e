import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Link, linksFor } from "../../../../speaker/links/link.ts";
import { readLinks, sameLinks } from "../../../../speaker/links/read.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { subnetOf } from "../../../../src/ip/range.ts";
import { hostNetwork, type RouteFixture } from "./host-network-fixture.ts";

test("interfaces are read with their addresses, without loopback, tunnels and link-local addresses", () => {
  const links = readLinks(
    hostNetwork({
      lo: { loopback: true, mac: "00:00:00:00:00:00", addresses: ["127.0.0.1/8"] },
      wg0: { mac: "00:00:00:00:00:00", addresses: ["10.9.0.1/24"] },
      tunl0: { mac: "7f:00:00:01", addresses: ["10.9.1.1/32"] },
      eth1: { addresses: ["198.51.100.11/24"], state: "unknown" },
      eth0: { addresses: ["192.0.2.11/24", "fe80::1/64", "2001:db8::11/64", "192.0.2.12/24"] },
      veth1a2b: { kind: "veth", addresses: ["fe80::2/64"] },
    }),
  );
  assert.deepEqual(
    links.map(({ name, index, up: isUp, addresses }) => [name, index, isUp, ...addresses]),
    [
      ["eth0", 6, true, "192.0.2.11/24", "192.0.2.12/24", "2001:db8::11/64"],
      ["eth1", 5, true, "198.51.100.11/24"],
    ],
  );
});

test("an interface without carrier is down, and so is one whose state is down", () => {
  const links = readLinks(
    hostNetwork({
      eth0: { carrier: false, addresses: ["192.0.2.11/24"] },
      eth1: { state: "other", addresses: ["198.51.100.11/24"] },
    }),
  );
  assert.deepEqual(
    links.map(({ up }) => up),
    [false, false],
  );
});

test("a pod that starts or stops changes no links", () => {
  const node = { eth0: { addresses: ["192.0.2.11/24"] } };
  const before = readLinks(hostNetwork(node));
  const pods = {
    veth1a2b: { kind: "veth", addresses: ["fe80::2/64"] },
    lxc77: { kind: "veth", addresses: ["fe80::3/64"] },
  };
  assert.ok(sameLinks(before, readLinks(hostNetwork({ ...node, ...pods }))));
});

test("links are the same until one of their facts changes", () => {
  const links = readLinks(hostNetwork({ eth0: { addresses: ["192.0.2.11/24"] } }));
  assert.ok(sameLinks(links, structuredClone(links)));
  for (const change of [{ up: false }, { mac: "02:00:00:00:00:09" }, { index: 9 }, { addresses: [] }]) {
    assert.ok(
      !sameLinks(
        links,
        links.map((link) => ({ ...link, ...change })),
      ),
    );
  }
});

function link(name: string, cidr: string, isUp = true): Link {
  const subnets = [subnetOf(cidr)].flatMap((subnet) => subnet ?? []);
  return { name, index: 1, mac: "02:00:00:00:00:01", up: isUp, addresses: [cidr], subnets };
}

const links = [
  link("eth0", "192.0.2.11/24"),
  link("eth1", "192.0.2.12/24"),
  link("eth2", "192.0.2.13/24", false),
  link("eth3", "198.51.100.1/24"),
  link("kube-ipvs0", "192.0.2.200/32"),
  link("eth4", "2001:db8::1/64"),
];
for (const [name, text, patterns, expected] of [
  ["every interface that is up with the subnet", "192.0.2.200", [], ["eth0", "eth1"]],
  ["names by pattern", "192.0.2.200", ["*1"], ["eth1"]],
  ["no pattern that fits", "192.0.2.200", ["bond?"], []],
  ["IPv6", "2001:db8::200", [], ["eth4"]],
  ["no subnet", "203.0.113.1", [], []],
] as const) {
  test(`where an address is announced: ${name}`, () => {
    const address = parseAddress(text);
    assert.ok(address !== undefined);
    assert.deepEqual(
      linksFor(links, address, patterns).map((one) => one.name),
      expected,
    );
  });
}

test("interfaces without addresses are read where they may lead to a LAN", () => {
  const links = readLinks(
    hostNetwork({
      eth0: { addresses: ["192.0.2.11/24"] },
      "eth0.20": { kind: "vlan", mac: "02:00:00:00:00:0a", addresses: ["fe80::1/64"] },
      eth1: { mac: "02:00:00:00:00:0B" },
      eth2: { hasMaster: true },
      veth1: { kind: "veth" },
      mac0: { kind: "macvlan", mac: "02:00:00:00:00:0c" },
      "vxlan.calico": { kind: "vxlan" },
      ib0: { mac: "80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01" },
    }),
  );
  assert.deepEqual(
    links.map(({ name, index, mac: own, up: isUp, addresses }) => [name, index, own, isUp, ...addresses]),
    [
      ["eth0", 2, "02:00:00:00:00:01", true, "192.0.2.11/24"],
      ["eth0.20", 3, "02:00:00:00:00:0a", true],
      ["eth1", 4, "02:00:00:00:00:0b", true],
      ["mac0", 7, "02:00:00:00:00:0c", true],
    ],
  );
});

const lan4 = "192.0.2.0/24";
const lan6 = "2001:db8::/64";
const route = (by: string, to: string, metric: number): RouteFixture => ({ by, to, metric });

const routeCases: readonly {
  readonly name: string;
  readonly eth1?: readonly string[];
  readonly routes?: readonly RouteFixture[];
  readonly address?: string;
  readonly patterns?: readonly string[];
  readonly down?: string;
  readonly expected: readonly string[];
}[] = [
  {
    name: "the lowest metric",
    routes: [route("eth0", lan4, 101), route("eth1", lan4, 100)],
    expected: ["eth1"],
  },
  {
    name: "the first of equal routes",
    routes: [route("eth1", lan4, 0), route("eth0", lan4, 0)],
    expected: ["eth1"],
  },
  {
    name: "the most specific route",
    eth1: ["192.0.2.130/25"],
    routes: [route("eth0", lan4, 0), route("eth1", "192.0.2.128/25", 500)],
    expected: ["eth1"],
  },
  {
    name: "the only subnet that has the address",
    eth1: ["192.0.2.2/25"],
    routes: [route("eth1", "192.0.2.0/25", 0), route("eth0", lan4, 500)],
    expected: ["eth0"],
  },
  {
    name: "not the default route",
    routes: [{ by: "eth1", to: "default", via: "192.0.2.254" }, route("eth0", lan4, 100), route("eth1", lan4, 200)],
    expected: ["eth0"],
  },
  {
    name: "the other interface while one has no carrier",
    routes: [route("eth0", lan4, 101), route("eth1", lan4, 100)],
    down: "eth1",
    expected: ["eth0"],
  },
  {
    name: "the interfaces of an L2Advertisement, in place of routes",
    routes: [route("eth0", lan4, 101), route("eth1", lan4, 100)],
    patterns: ["eth0"],
    expected: ["eth0"],
  },
  {
    name: "both, if an L2Advertisement lists both",
    routes: [route("eth0", lan4, 101), route("eth1", lan4, 100)],
    patterns: ["eth?"],
    expected: ["eth0", "eth1"],
  },
  { name: "both without any route, as where other routing tables are used", expected: ["eth0", "eth1"] },
  {
    name: "both with a route by an interface that is gone",
    routes: [route("eth9", lan4, 0)],
    expected: ["eth0", "eth1"],
  },
  {
    name: "the lowest metric of IPv6",
    address: "2001:db8::200",
    routes: [route("eth0", lan6, 257), route("eth1", lan6, 256)],
    expected: ["eth1"],
  },
];

describe("of two interfaces in one subnet, the one that the kernel sends by announces", () => {
  for (const { name, eth1, routes = [], address = "192.0.2.200", patterns = [], down, expected } of routeCases) {
    test(name, () => {
      const links = readLinks(
        hostNetwork(
          {
            eth0: { addresses: ["192.0.2.1/24", "2001:db8::1/64"], carrier: down !== "eth0" },
            eth1: { addresses: eth1 ?? ["192.0.2.2/24", "2001:db8::2/64"], carrier: down !== "eth1" },
          },
          routes,
        ),
      );
      const vip = parseAddress(address);
      assert.ok(vip !== undefined);
      assert.deepEqual(
        linksFor(links, vip, patterns).map((one) => one.name),
        expected,
      );
    });
  }

  test("routes do not count where no interfaces have a subnet in common, and a changed route changes the links", () => {
    const read = (eth1: string, metric: number) =>
      readLinks(
        hostNetwork({ eth0: { addresses: ["192.0.2.1/24"] }, eth1: { addresses: [eth1] } }, [
          route("eth0", lan4, metric),
          route("eth1", lan4, 100),
        ]),
      );
    assert.ok(sameLinks(read("198.51.100.1/24", 50), read("198.51.100.1/24", 200)));
    assert.ok(!sameLinks(read("192.0.2.2/24", 50), read("192.0.2.2/24", 200)));
  });
});
