import assert from "node:assert/strict";
import { test } from "node:test";
import { gratuitousFrames } from "../../../../speaker/responder/gratuitous.ts";
import { type LanProbe, probeFrame, readAnswer } from "../../../../speaker/responder/lan-probe.ts";
import { LanProbes } from "../../../../speaker/responder/lan-probes.ts";
import { type AnswerTable, respond } from "../../../../speaker/responder/respond.ts";
import { equalBytes, formatMac } from "../../../../src/packet/mac.ts";
import { address, arpRequest, clientMac, mac, ourMac } from "./frames.ts";

/** A device that has one address. */
function device(text: string): AnswerTable {
  const bytes = address(text);
  return { mac: clientMac, has: (other) => equalBytes(other, bytes), isOurs: () => false };
}

for (const [target, source] of [
  ["192.0.2.1", "192.0.2.11"],
  ["192.0.2.1", "0.0.0.0"],
  ["2001:db8::1", "2001:db8::11"],
  ["2001:db8::1", "::"],
] as const) {
  test(`a device that has ${target} answers the probe from ${source}, and the answer names its address`, () => {
    const answer = respond(probeFrame(ourMac, { target: address(target), source: address(source) }), device(target));
    assert.ok(typeof answer !== "string" && answer.kind === "reply");
    assert.deepEqual(readAnswer(answer.frame)?.address, address(target));
    // RFC 4861 section 7.2.4: the answer to a solicitation without a source is not a solicited one.
    assert.equal(readAnswer(answer.frame)?.isReply, source !== "::");
  });
}

test("a solicitation does not answer for its target, and a frame that is neither ARP nor NDP for nothing", () => {
  const probe = { target: address("2001:db8::1"), source: address("2001:db8::11") };
  assert.equal(readAnswer(probeFrame(ourMac, probe)), undefined);
  assert.equal(readAnswer(new Uint8Array(60)), undefined);
});

/** To a request of this node. */
function replyOf(target: string): Uint8Array {
  const source = address(target.includes(":") ? "2001:db8::11" : "192.0.2.11");
  const answer = respond(probeFrame(ourMac, { target: address(target), source }), device(target));
  assert.ok(typeof answer !== "string" && answer.kind === "reply");
  return answer.frame;
}

const gateway: LanProbe = {
  interfaceName: "eth0",
  target: address("192.0.2.99"),
  source: address("192.0.2.11"),
};
const peer: LanProbe = { ...gateway, target: address("192.0.2.12") };

test("who has answered is known for a second after it was asked, and only then", () => {
  const sent: LanProbe[] = [];
  const probes = new LanProbes((probe) => sent.push(probe));
  probes.set({ gateways: [gateway], nodes: new Map([["n2", peer]]) });
  const fromGateway = arpRequest("192.0.2.11", "192.0.2.99");
  const fromPeer = replyOf("192.0.2.12");
  assert.deepEqual(probes.answersIn(fromGateway, 0), [], "it was not asked");
  probes.askGateways(0);
  probes.askNode("n2", 0);
  probes.askNode("n3", 0);
  assert.deepEqual(sent, [gateway, peer], "n3 is on no LAN of this node");
  assert.deepEqual(probes.answersIn(fromPeer, 10), [{ kind: "node", node: "n2" }]);
  assert.deepEqual(probes.answersIn(fromPeer, 10), [], "once");
  assert.deepEqual(probes.answersIn(fromGateway, 1_001), []);
});

test("a node is found by frames to its hardware addresses alone, which it answers as any request", () => {
  for (const [target, source] of [
    ["192.0.2.12", "192.0.2.11"],
    ["2001:db8::12", "2001:db8::11"],
  ] as const) {
    const node: LanProbe = { interfaceName: "eth0", target: address(target), source: address(source) };
    const sent: Uint8Array[] = [];
    const probes = new LanProbes((probe, to) => sent.push(probeFrame(ourMac, probe, to)));
    const macs = [clientMac, ...[2, 3, 4, 5].map((last) => mac(`02:00:00:00:01:0${last}`))];
    probes.set({ gateways: [], nodes: new Map([["n2", node]]) }, new Map([["n2", macs]]));
    probes.findNode("n3", 0);
    probes.findNode("n2", 0);
    assert.deepEqual(
      sent.map((frame) => formatMac(frame.subarray(0, 6))),
      macs.slice(0, 4).map(formatMac),
    );
    const answer = respond(sent[0] ?? new Uint8Array(), device(target));
    assert.ok(typeof answer !== "string" && answer.kind === "reply", target);
    assert.deepEqual(probes.answersIn(answer.frame, 10), [{ kind: "node", node: "n2" }]);
  }
});

test("a node that is the gateway of others, or a witness, answers as both", () => {
  const probes = new LanProbes(() => {});
  probes.set({ gateways: [peer, peer], nodes: new Map([["n2", peer]]) });
  const frame = replyOf("192.0.2.12");
  probes.askNode("n2", 0);
  probes.askGateways(0);
  assert.deepEqual(probes.answersIn(frame, 10), [{ kind: "node", node: "n2" }, { kind: "gateway" }]);
  probes.askGateways(20);
  assert.deepEqual(probes.answersIn(frame, 30), [{ kind: "gateway" }]);
});

test("of a node only a reply counts: what it sends by itself does not tell that it receives anything", () => {
  const probes = new LanProbes(() => {});
  const six: LanProbe = { interfaceName: "eth0", target: address("2001:db8::12"), source: address("2001:db8::11") };
  probes.set({
    gateways: [peer],
    nodes: new Map([
      ["n2", peer],
      ["n3", six],
    ]),
  });
  probes.askNode("n2", 0);
  probes.askNode("n3", 0);
  probes.askGateways(0);
  const request = arpRequest("192.0.2.11", "192.0.2.12");
  assert.deepEqual(probes.answersIn(request, 10), [{ kind: "gateway" }]);
  for (const text of ["192.0.2.12", "2001:db8::12"]) {
    for (const frame of gratuitousFrames(clientMac, address(text))) assert.deepEqual(probes.answersIn(frame, 10), []);
  }
  assert.deepEqual(probes.answersIn(replyOf("192.0.2.12"), 20), [{ kind: "node", node: "n2" }]);
  assert.deepEqual(probes.answersIn(replyOf("2001:db8::12"), 20), [{ kind: "node", node: "n3" }]);
});
