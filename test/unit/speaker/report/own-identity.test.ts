import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { projectPeer } from "../../../../speaker/peers/peer.ts";
import { isWritten, ownIdentity } from "../../../../speaker/report/own-identity.ts";
import { maxIdentityMacs } from "../../../../src/api/speaker-identity.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";

const port = 7482;
const kubeletPort = 10_249;
const mac = (index: number): string => `02:00:00:00:00:${index.toString(16).padStart(2, "0")}`;

describe("the heartbeat addresses of a node", () => {
  const cases: readonly {
    readonly name: string;
    readonly internalIPs: readonly string[];
    readonly onNode: readonly string[];
    readonly addresses: readonly string[];
  }[] = [
    {
      name: "are the first InternalIP of each family, IPv4 first",
      internalIPs: ["2001:db8::11", "192.0.2.11", "192.0.2.12", "2001:db8::12"],
      onNode: ["192.0.2.11", "192.0.2.12", "2001:db8::11", "2001:db8::12"],
      addresses: ["192.0.2.11", "2001:db8::11"],
    },
    {
      name: "are on an interface: one that a router translates to is passed over",
      internalIPs: ["203.0.113.5", "192.0.2.12"],
      onNode: ["192.0.2.12"],
      addresses: ["192.0.2.12"],
    },
    {
      name: "are written in canonical form",
      internalIPs: ["2001:DB8:0::11"],
      onNode: ["2001:db8::11"],
      addresses: ["2001:db8::11"],
    },
    {
      name: "are not link-local",
      internalIPs: ["169.254.1.1", "fe80::1", "192.0.2.11"],
      onNode: ["169.254.1.1", "fe80::1", "192.0.2.11"],
      addresses: ["192.0.2.11"],
    },
    { name: "are missing where no interface has one", internalIPs: ["192.0.2.11"], onNode: [], addresses: [] },
    { name: "leave out what is not an address", internalIPs: ["node-1", ""], onNode: [], addresses: [] },
  ];
  for (const { name, internalIPs, onNode, addresses } of cases) {
    test(name, () => {
      const isOnNode = (address: string): boolean => onNode.includes(address);
      assert.deepEqual(
        ownIdentity({ node: { internalIPs, kubeletPort }, isOnNode, links: [], port }).addresses,
        addresses,
      );
    });
  }
});

test("the hardware addresses are listed once, sorted, and no more than the kind accepts", () => {
  const macsOf = (macs: readonly string[]) =>
    ownIdentity({
      node: { internalIPs: [], kubeletPort },
      isOnNode: () => true,
      links: macs.map((one) => ({ mac: one })),
      port,
    }).macs;
  assert.deepEqual(macsOf([mac(2), mac(1), mac(2)]), [mac(1), mac(2)]);
  assert.equal(macsOf(Array.from({ length: 200 }, (_, index) => mac(index))).length, maxIdentityMacs);
});

describe("a peer", () => {
  const identity = (spec: object) => ({ metadata: { name: "n2" }, spec });
  const written = { addresses: ["192.0.2.12", "2001:db8::12"], port, macs: [mac(2)], kubeletPort };

  test("is what its SpeakerIdentity says", () => {
    const peer = projectPeer(identity(written));
    assert.ok(!(peer instanceof InvalidObject));
    assert.deepEqual([peer.node, peer.port, peer.macs, peer.addresses.length], ["n2", port, [mac(2)], 2]);
    assert.ok(isWritten(written, peer));
    for (const change of [{ addresses: ["192.0.2.12"] }, { port: 7483 }, { macs: [] }, { kubeletPort: 10251 }])
      assert.ok(!isWritten({ ...written, ...change }, peer), JSON.stringify(change));
  });

  test("of an earlier version has its kubelet on the usual port", () => {
    const peer = projectPeer(identity({ ...written, kubeletPort: undefined }));
    assert.equal("node" in peer && peer.kubeletPort, 10250);
  });

  test("keeps the addresses that can be read, if the kind accepted others", () => {
    const peer = projectPeer(identity({ ...written, addresses: ["node-2", "192.0.2.12"] }));
    assert.ok(isWritten({ ...written, addresses: ["192.0.2.12"] }, "node" in peer ? peer : undefined));
  });

  test("without a port does not exist", () =>
    assert.ok(projectPeer(identity({ addresses: ["192.0.2.12"] })) instanceof InvalidObject));
});
