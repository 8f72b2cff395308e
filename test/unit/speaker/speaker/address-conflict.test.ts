import assert from "node:assert/strict";
import { ownPath } from "../../../../src/kube/path.ts";
import { encodeArp } from "../../../../src/packet/arp.ts";
import { encodeEthernet, etherTypes } from "../../../../src/packet/ethernet.ts";
import { address, mac } from "../responder/frames.ts";
import { pass, story } from "./story.ts";

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
