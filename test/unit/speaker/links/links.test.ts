import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { describe, test } from "node:test";
import { familiesWithoutForwarding } from "../../../../speaker/host.ts";
import { type Link, linksFor } from "../../../../speaker/links/link.ts";
import type { LinkSource } from "../../../../speaker/links/link-source.ts";
import { readLinks, sameLinks } from "../../../../speaker/links/read.ts";
import { parseIPv4Routes } from "../../../../speaker/links/routes.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { subnetOf } from "../../../../src/ip/range.ts";

function entry(cidr: string, change: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo {
  const ipv6 = cidr.includes(":");
  const common = { address: cidr.split("/")[0] ?? "", netmask: "", mac: "02:00:00:00:00:01", internal: false, cidr };
  return {
    ...common,
    ...(ipv6 ? { family: "IPv6", scopeid: 0 } : { family: "IPv4" }),
    ...change,
  } as NetworkInterfaceInfo;
}

function source(interfaces: Record<string, NetworkInterfaceInfo[]>, files: Record<string, string>): LinkSource {
  const textOf = (path: string): string | undefined => files[path.replace("/sys/class/net/", "")];
  return {
    names: () => [...new Set(Object.keys(files).flatMap((path) => /^[^/]+/.exec(path) ?? []))],
    interfaces: () => interfaces,
    read: (path) => {
      const text = textOf(path);
      if (text === undefined) throw new Error(`EINVAL: ${path}`);
      return text;
    },
    exists: (path) => textOf(path) !== undefined,
    list: (path) => {
      const folder = `${path.replace("/sys/class/net/", "")}/`;
      return Object.keys(files).flatMap((file) => (file.startsWith(folder) ? [file.slice(folder.length)] : []));
    },
    endianness: "LE",
  };
}

const up = (name: string, index: number, state = "up") => ({
  [`${name}/ifindex`]: `${index}\n`,
  [`${name}/operstate`]: `${state}\n`,
  [`${name}/carrier`]: "1\n",
});

test("interfaces are read with their addresses, without loopback, tunnels and link-local addresses", () => {
  const links = readLinks(
    source(
      {
        lo: [entry("127.0.0.1/8", { internal: true })],
        wg0: [entry("10.9.0.1/24", { mac: "00:00:00:00:00:00" })],
        eth1: [entry("198.51.100.11/24")],
        eth0: [entry("192.0.2.11/24"), entry("fe80::1/64"), entry("2001:db8::11/64")],
        "eth0:1": [entry("192.0.2.12/24")],
        veth1a2b: [entry("fe80::2/64")],
      },
      { ...up("veth1a2b", 9), ...up("eth0", 2), ...up("eth1", 3, "unknown"), ...up("wg0", 4) },
    ),
  );
  assert.deepEqual(
    links.map(({ name, index, up: isUp, addresses }) => [name, index, isUp, ...addresses]),
    [
      ["eth0", 2, true, "192.0.2.11/24", "192.0.2.12/24", "2001:db8::11/64"],
      ["eth1", 3, true, "198.51.100.11/24"],
    ],
  );
});

test("an interface without carrier is down, and one that vanishes while it is read is left out", () => {
  const interfaces = { eth0: [entry("192.0.2.11/24")], eth1: [entry("198.51.100.11/24")] };
  const [first, ...others] = readLinks(source(interfaces, { ...up("eth0", 2), "eth0/carrier": "0\n" }));
  assert.equal(first?.up, false);
  assert.deepEqual(others, []);
});

test("a pod that starts or stops changes no links", () => {
  const node = { eth0: [entry("192.0.2.11/24")] };
  const files = { ...up("eth0", 2), ...up("veth1a2b", 9), ...up("lxc77", 10) };
  const before = readLinks(source(node, files));
  const after = readLinks(source({ ...node, veth1a2b: [entry("fe80::2/64")], lxc77: [entry("FE80::3/64")] }, files));
  assert.ok(sameLinks(before, after));
});

test("links are the same until one of their facts changes", () => {
  const links = readLinks(source({ eth0: [entry("192.0.2.11/24")] }, up("eth0", 2)));
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

test("forwarding that is off, or a family that is missing, is noticed", () => {
  const read = (path: string) => {
    if (path.includes("ipv6")) throw new Error("ENOENT");
    return "1\n";
  };
  assert.deepEqual(familiesWithoutForwarding(read), ["IPv6"]);
  assert.deepEqual(
    familiesWithoutForwarding(() => "0\n"),
    ["IPv4", "IPv6"],
  );
});

test("interfaces without addresses are read where they may lead to a LAN", () => {
  const mac = (name: string, text = "02:00:00:00:00:0a") => ({ [`${name}/address`]: `${text}\n` });
  const kind = (name: string, type: string) => ({
    [`${name}/uevent`]: `DEVTYPE=${type}\nINTERFACE=${name}\nIFINDEX=9\n`,
  });
  const files = {
    ...up("eth0", 2),
    ...up("eth0.20", 3),
    ...mac("eth0.20"),
    ...kind("eth0.20", "vlan"),
    ...up("eth1", 4),
    ...mac("eth1", "02:00:00:00:00:0B"),
    "eth1/device": "",
    ...up("eth2", 5),
    ...mac("eth2"),
    "eth2/device": "",
    "eth2/master": "",
    ...up("veth1", 6),
    ...mac("veth1"),
    "veth1/uevent": "INTERFACE=veth1\nIFINDEX=6\n",
    ...up("mac0", 9),
    ...mac("mac0", "02:00:00:00:00:0c"),
    "mac0/uevent": "INTERFACE=mac0\nIFINDEX=9\n",
    "mac0/lower_eth1": "",
    ...up("vxlan.calico", 7),
    ...mac("vxlan.calico"),
    ...kind("vxlan.calico", "vxlan"),
    ...up("ib0", 8),
    ...mac("ib0", "80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01"),
    "ib0/device": "",
    ...mac("gone"),
    "gone/device": "",
  };
  const links = readLinks(source({ eth0: [entry("192.0.2.11/24")], "eth0.20": [entry("fe80::1/64")] }, files));
  assert.deepEqual(
    links.map(({ name, index, mac: own, up: isUp, addresses }) => [name, index, own, isUp, ...addresses]),
    [
      ["eth0", 2, "02:00:00:00:00:01", true, "192.0.2.11/24"],
      ["eth0.20", 3, "02:00:00:00:00:0a", true],
      ["eth1", 4, "02:00:00:00:00:0b", true],
      ["mac0", 9, "02:00:00:00:00:0c", true],
    ],
  );
});

const route = (name: string, destination: string, mask: string, metric: number, flags = "0001") =>
  `${name}\t${destination}\t00000000\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0`;
const route6 = (name: string, destination: string, length: string, metric: string, flags = "00000001") =>
  [destination, length, "0".repeat(32), "00", "0".repeat(32), metric, "00000001", "00000000", flags, name].join(" ");
const lan4 = "000200C0";
const mask24 = "00FFFFFF";
const lan6 = "20010db8000000000000000000000000";

const routeCases: readonly {
  readonly name: string;
  readonly eth1?: readonly string[];
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly address?: string;
  readonly patterns?: readonly string[];
  readonly down?: string;
  readonly expected: readonly string[];
}[] = [
  {
    name: "the lowest metric",
    ipv4: [route("eth0", lan4, mask24, 101), route("eth1", lan4, mask24, 100)],
    expected: ["eth1"],
  },
  {
    name: "the first of equal routes",
    ipv4: [route("eth1", lan4, mask24, 0), route("eth0", lan4, mask24, 0)],
    expected: ["eth1"],
  },
  {
    name: "the most specific route",
    eth1: ["192.0.2.130/25"],
    ipv4: [route("eth0", lan4, mask24, 0), route("eth1", "800200C0", "80FFFFFF", 500)],
    expected: ["eth1"],
  },
  {
    name: "the only subnet that has the address",
    eth1: ["192.0.2.2/25"],
    ipv4: [route("eth1", lan4, "80FFFFFF", 0), route("eth0", lan4, mask24, 500)],
    expected: ["eth0"],
  },
  {
    name: "not the default route",
    ipv4: [
      route("eth1", "00000000", "00000000", 0, "0003"),
      route("eth0", lan4, mask24, 100),
      route("eth1", lan4, mask24, 200),
    ],
    expected: ["eth0"],
  },
  {
    name: "not a route that rejects",
    ipv4: [route("eth1", "C80200C0", "FFFFFFFF", 0, "0201"), route("eth0", lan4, mask24, 100)],
    expected: ["eth0"],
  },
  {
    name: "the other interface while one has no carrier",
    ipv4: [route("eth0", lan4, mask24, 101), route("eth1", lan4, mask24, 100)],
    down: "eth1",
    expected: ["eth0"],
  },
  {
    name: "the interfaces of an L2Advertisement, in place of routes",
    ipv4: [route("eth0", lan4, mask24, 101), route("eth1", lan4, mask24, 100)],
    patterns: ["eth0"],
    expected: ["eth0"],
  },
  {
    name: "both, if an L2Advertisement lists both",
    ipv4: [route("eth0", lan4, mask24, 101), route("eth1", lan4, mask24, 100)],
    patterns: ["eth?"],
    expected: ["eth0", "eth1"],
  },
  { name: "both without any route, as where other routing tables are used", expected: ["eth0", "eth1"] },
  { name: "both with files that cannot be read", ipv4: ["nonsense", "eth0\tXYZ"], expected: ["eth0", "eth1"] },
  {
    name: "the lowest metric of IPv6",
    address: "2001:db8::200",
    ipv6: [route6("eth0", lan6, "40", "00000101"), route6("eth1", lan6, "40", "00000100")],
    expected: ["eth1"],
  },
  {
    name: "not a local or anycast route of IPv6",
    address: "2001:db8::200",
    ipv6: [
      route6("eth0", "20010db8000000000000000000000200", "80", "00000000", "80200001"),
      route6("eth0", "20010db8000000000000000000000200", "80", "00000000", "00100001"),
      route6("eth1", lan6, "40", "00000100"),
    ],
    expected: ["eth1"],
  },
];

describe("of two interfaces in one subnet, the one that the kernel sends by announces", () => {
  for (const {
    name,
    eth1,
    ipv4 = [],
    ipv6 = [],
    address = "192.0.2.200",
    patterns = [],
    down,
    expected,
  } of routeCases) {
    test(name, () => {
      const files = {
        ...up("eth0", 2),
        ...up("eth1", 3),
        ...(down === undefined ? {} : { [`${down}/carrier`]: "0\n" }),
        "/proc/net/route": ["Iface\tDestination\tGateway\tFlags", ...ipv4].join("\n"),
        "/proc/net/ipv6_route": ipv6.join("\n"),
      };
      const links = readLinks(
        source(
          {
            eth0: ["192.0.2.1/24", "2001:db8::1/64"].map((text) => entry(text)),
            eth1: (eth1 ?? ["192.0.2.2/24", "2001:db8::2/64"]).map((text) => entry(text)),
          },
          files,
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

  test("routes are not read where no interfaces have a subnet in common, and a changed route changes the links", () => {
    const files = (metric: number) => ({
      ...up("eth0", 2),
      ...up("eth1", 3),
      "/proc/net/route": [route("eth0", lan4, mask24, metric), route("eth1", lan4, mask24, 100)].join("\n"),
    });
    const apart = { eth0: [entry("192.0.2.1/24")], eth1: [entry("198.51.100.1/24")] };
    assert.ok(sameLinks(readLinks(source(apart, files(50))), readLinks(source(apart, files(200)))));
    const together = { eth0: [entry("192.0.2.1/24")], eth1: [entry("192.0.2.2/24")] };
    assert.ok(!sameLinks(readLinks(source(together, files(50))), readLinks(source(together, files(200)))));
  });

  test("addresses of routes are read in the byte order of the machine", () => {
    const [little] = parseIPv4Routes(route("eth0", lan4, mask24, 0), "LE");
    const [big] = parseIPv4Routes(route("eth0", "C0000200", "FFFFFF00", 0), "BE");
    assert.deepEqual(little?.range, big?.range);
    assert.deepEqual(little?.range, subnetOf("192.0.2.0/24"));
  });
});
