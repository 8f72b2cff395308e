import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addCannotServe } from "../../../../speaker/host-checks/cannot-serve.ts";
import { FamiliesInUse } from "../../../../speaker/host-checks/families-in-use.ts";
import { findHostFaults, type HostFacts } from "../../../../speaker/host-checks/find-host-faults.ts";
import { hostConditions } from "../../../../speaker/host-checks/host-conditions.ts";
import {
  defaultRouteInterfaces,
  missingNodeAddresses,
  serviceProxyInterface,
} from "../../../../speaker/host-checks/host-facts.ts";
import { readHostSettings } from "../../../../speaker/host-checks/host-settings.ts";
import {
  closedInternalIps,
  opensNodePorts,
  parseConfigz,
} from "../../../../speaker/host-checks/node-port-addresses.ts";
import { readLinks } from "../../../../speaker/links/read.ts";
import { maxConditions } from "../../../../src/api/api.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { projectNode } from "../../../../src/model/node.ts";
import { hostNetwork } from "../links/host-network-fixture.ts";
import { type HostFaultCase, hostFaultCases } from "./host-fault-cases.ts";

function judge(input: Omit<HostFaultCase, "name" | "faults">, change: Partial<HostFacts> = {}) {
  const { sysctls = {}, routes, internalIPs = [], virtualIps = ["192.0.2.200"] } = input;
  const { interfaces = { eth0: { addresses: ["192.0.2.11/24"] } }, announced = { eth0: ["192.0.2.200"] } } = input;
  const network = hostNetwork(interfaces, routes);
  const found = readLinks(network);
  const settings = readHostSettings(found, (path) => sysctls[path.replace(/^\/proc\/sys\/net\//, "")]);
  const links = addCannotServe(found, settings);
  const families = new FamiliesInUse();
  for (const name of virtualIps) families.put(name, true);
  const isIPv4 = (text: string) => !text.includes(":");
  const announcing = Object.entries(announced).filter(([, texts]) => texts.some(isIPv4));
  const addresses = internalIPs.map((address) => ({ type: "InternalIP", address }));
  const view = projectNode({ status: { addresses } });
  const faults = findHostFaults(settings, {
    families: families.current,
    lanInterfaces: Object.keys(announced),
    links,
    announcingIPv4: new Set(announcing.map(([name]) => name)),
    defaultRouteInterfaces: defaultRouteInterfaces(network),
    serviceProxyInterface: serviceProxyInterface(network),
    missingNodeAddresses: missingNodeAddresses(view, network),
    closedInternalIps: closedInternalIps(view, input.nodePortAddresses),
    nodePortFamilies: new Set(input.nodePortFamilies ?? []),
    untakenPorts: input.untakenPorts ?? [],
    droppingChains: input.droppingChains ?? [],
    conntrackWasFull: false,
    ...change,
  });
  return { faults, links };
}

describe("what is wrong with the settings of a node", () => {
  for (const { name, faults, cannotServe = [], ...input } of hostFaultCases) {
    test(`${name}: ${faults.length === 0 ? "nothing" : faults.join(", ")}`, () => {
      const found = judge(input);
      assert.deepEqual(
        found.faults.map(({ type, reason }) => `${type} ${reason.code} ${reason.field}`),
        faults,
      );
      const dropped = found.links.flatMap((link) =>
        (link.cannotServe ?? []).map(({ family, reason }) => `${link.name} ${family} ${reason}`),
      );
      assert.deepEqual(dropped, cannotServe);
    });
  }
});

test("the table of connections must become clearly emptier before it counts as having space", () => {
  const sysctls = { "netfilter/nf_conntrack_count": "85", "netfilter/nf_conntrack_max": "100" };
  assert.equal(judge({ sysctls }).faults.length, 0);
  assert.equal(judge({ sysctls }, { conntrackWasFull: true }).faults.length, 1);
});

test("values that are not numbers are not faults", () => {
  for (const text of ["", "on", "0x0", "1 1"])
    assert.deepEqual(judge({ sysctls: { "ipv4/conf/eth0/forwarding": text } }).faults, []);
});

test("families are in use as long as one of their addresses is", () => {
  const families = new FamiliesInUse();
  families.put("192.0.2.1", true);
  families.put("2001-db8--1", true);
  families.put("not-an-address", true);
  assert.deepEqual([...families.current], ["IPv4", "IPv6"]);
  families.put("192.0.2.1", false);
  families.put("192.0.2.1", false);
  assert.deepEqual([...families.current], ["IPv6"]);
});

test("ports that the service proxy does not take are named whole, and the others are counted", () => {
  const address = (number: number) => `2001:db8:1111:2222:3333:4444:5555:${number}`;
  const untakenPorts = [6001, 6002, 6003, 6004, 6005, 6006].map((number) => `${address(number)} port 65000/UDP`);
  const [fault] = judge({ untakenPorts }).faults;
  assert.match(fault?.reason.message ?? "", /5555:6001 port .*5555:6003 port 65000\/UDP and 3 more"/);
});

describe("conditions about the host", () => {
  const earlier = "2026-01-01T00:00:00Z";
  const now = "2026-01-02T00:00:00Z";

  test("say for each type whether there is a fault, with the setting and the cure, and keep others", () => {
    const other = { type: "Other", status: "True", reason: "X", message: "", lastTransitionTime: earlier } as const;
    const { faults } = judge({ sysctls: { "ipv4/conf/eth0/forwarding": "0" } });
    const after = hostConditions([other], faults, now);
    assert.ok(after.length <= maxConditions);
    assert.deepEqual(
      after.filter(({ status }) => status === "False").map(({ type, reason }) => [type, reason]),
      [["Forwarding", "ForwardingDisabled"]],
    );
    assert.equal(after[0], other);
    assert.match(after[1]?.message ?? "", /eth0\.forwarding is 0\. Set it to 1/);
  });

  test("stay the same object while nothing changes, and keep their time", () => {
    const good = hostConditions([], [], earlier);
    assert.equal(hostConditions(good, [], now), good);
    assert.ok(good.every(({ status }) => status === "True"));
  });
});

describe("nodePortAddresses of kube-proxy", () => {
  for (const [addresses, internalIp, opens] of [
    [[], "192.0.2.11", true],
    [["192.0.2.0/24"], "192.0.2.11", true],
    [["192.0.2.99/24"], "192.0.2.11", true],
    [["198.51.100.0/24", "192.0.2.11/32"], "192.0.2.11", true],
    [["198.51.100.0/24"], "192.0.2.11", false],
    [["198.51.100.0/24"], "2001:db8::11", true],
    [["198.51.100.0/24", "2001:db8:1::/64"], "2001:db8::11", false],
    [["127.0.0.0/8"], "192.0.2.11", false],
    [["0.0.0.0/0"], "192.0.2.11", true],
    [["primary"], "192.0.2.11", true],
    [["all"], "192.0.2.11", true],
    [["localhost"], "192.0.2.11", false],
  ] as const) {
    test(`${addresses.join(", ") || "none"}: node ports at ${internalIp} are ${opens ? "open" : "closed"}`, () => {
      const address = parseAddress(internalIp);
      assert.ok(address);
      assert.equal(opensNodePorts(addresses, address), opens);
    });
  }

  for (const [text, addresses] of [
    ['{"kubeproxy.config.k8s.io":{"mode":"nftables","nodePortAddresses":["primary"]}}', ["primary"]],
    ['{"kubeproxy.config.k8s.io":{"nodePortAddresses":null}}', []],
    ['{"kubeproxy.config.k8s.io":{}}', []],
    ['{"kubelet.config.k8s.io":{}}', undefined],
    ['{"kubeproxy.config.k8s.io":{"nodePortAddresses":"primary"}}', undefined],
    [`{"kubeproxy.config.k8s.io":{"nodePortAddresses":["${"1".repeat(100)}"]}}`, undefined],
    ["<html>", undefined],
    ["", undefined],
  ] as const) {
    test(`in an answer ${text.slice(0, 80)}`, () => assert.deepEqual(parseConfigz(text), addresses));
  }
});
