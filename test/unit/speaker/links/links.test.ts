import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { test } from "node:test";
import { familiesWithoutForwarding } from "../../../../speaker/host.ts";
import { type Link, linksFor } from "../../../../speaker/links/link.ts";
import { type LinkSource, readLinks, sameLinks } from "../../../../speaker/links/read.ts";
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
  return {
    interfaces: () => interfaces,
    read: (path) => {
      const text = files[path.replace("/sys/class/net/", "")];
      if (text === undefined) throw new Error(`EINVAL: ${path}`);
      return text;
    },
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
