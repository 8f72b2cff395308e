import assert from "node:assert/strict";
import { test } from "node:test";
import { lanProbeTargets } from "../../../../speaker/peers/lan-probe-targets.ts";
import type { Peer } from "../../../../speaker/peers/peer.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { address } from "../responder/frames.ts";
import { link } from "../speaker-fixture.ts";

function peer(node: string, ...addresses: readonly string[]): Peer {
  return {
    node,
    addresses: addresses.flatMap((text) => parseAddress(text) ?? []),
    port: 7482,
    kubeletPort: 10250,
    macs: [],
  };
}

test("gateways and peers are asked on the interface of their LAN, from the address of this node there", () => {
  const links = [link("eth0", "192.0.2.11/24"), link("eth1", "2001:db8::11/64"), link("lo1", "203.0.113.9/32")];
  const peers = [
    peer("n1", "192.0.2.11"),
    peer("n2", "192.0.2.12"),
    peer("n3", "198.51.100.13", "2001:db8::13"),
    peer("far", "198.51.100.14"),
    peer("same-address-as-this-node", "192.0.2.11"),
  ];
  const targets = lanProbeTargets(
    "n1",
    links,
    ["192.0.2.1", "198.51.100.1", "203.0.113.9"],
    new Map(peers.map((one) => [one.node, one])),
  );
  assert.deepEqual(targets, {
    gateways: [{ interfaceName: "eth0", target: address("192.0.2.1"), source: address("192.0.2.11") }],
    nodes: new Map([
      ["n2", { interfaceName: "eth0", target: address("192.0.2.12"), source: address("192.0.2.11") }],
      ["n3", { interfaceName: "eth1", target: address("2001:db8::13"), source: address("2001:db8::11") }],
    ]),
  });
  assert.deepEqual(lanProbeTargets("n1", [link("eth0", "192.0.2.11/24", { up: false })], ["192.0.2.1"], new Map()), {
    gateways: [],
    nodes: new Map(),
  });
});
