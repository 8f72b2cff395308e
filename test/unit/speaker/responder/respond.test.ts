import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressSet } from "../../../../speaker/responder/address-set.ts";
import { gratuitousFrames } from "../../../../speaker/responder/gratuitous.ts";
import { type AnswerTable, type Ignored, respond } from "../../../../speaker/responder/respond.ts";
import { decodeArp, encodeArp } from "../../../../src/packet/arp.ts";
import { decodeEthernet, encodeEthernet, etherTypes } from "../../../../src/packet/ethernet.ts";
import { decodeIpv6, ipv6Checksum } from "../../../../src/packet/ipv6.ts";
import { broadcastMac, equalBytes, formatMac } from "../../../../src/packet/mac.ts";
import { allNodes, decodeNeighborMessage, multicastMac } from "../../../../src/packet/ndp.ts";
import { address, arpRequest, clientMac, mac, ndpFrame, ourMac, solicitation } from "./frames.ts";

const otherOwnMac = mac("02:00:00:00:00:02");

function table(...addresses: string[]): AnswerTable {
  const set = new AddressSet();
  for (const text of addresses) set.add(address(text));
  return {
    mac: ourMac,
    has: (candidate) => set.has(candidate),
    isOurs: (candidate) => equalBytes(candidate, ourMac) || equalBytes(candidate, otherOwnMac),
  };
}

const vip = "192.0.2.200";
const vip6 = "2001:db8::200";
const both = table(vip, vip6);

function replyTo(frame: Uint8Array, answers = both): Uint8Array {
  const answer = respond(frame, answers);
  assert.ok(typeof answer !== "string" && answer.kind === "reply");
  return answer.frame;
}

const fromNowhere = { source: address("::") };

for (const [name, destination] of [
  ["broadcast", broadcastMac],
  ["unicast", ourMac],
] as const) {
  test(`a ${name} ARP request for our address is answered to its sender alone`, () => {
    const frame = decodeEthernet(replyTo(arpRequest(vip, "192.0.2.99", destination)));
    assert.deepEqual(frame?.destination, clientMac);
    const packet = decodeArp(frame?.payload ?? new Uint8Array());
    assert.equal(packet?.operation, "reply");
    assert.deepEqual(packet?.senderMac, ourMac);
    assert.deepEqual(packet?.senderAddress, address(vip));
    assert.deepEqual(packet?.targetMac, clientMac);
    assert.deepEqual(packet?.targetAddress, address("192.0.2.99"));
  });
}

test("an ARP probe, from nowhere, is answered: the address is in use", () => {
  const packet = decodeArp(decodeEthernet(replyTo(arpRequest(vip, "0.0.0.0")))?.payload ?? new Uint8Array());
  assert.deepEqual(packet?.targetAddress, address("0.0.0.0"));
});

test("a Neighbor Solicitation is answered by a solicited, overriding advertisement with our link address", () => {
  const frame = decodeEthernet(replyTo(ndpFrame(solicitation(vip6))));
  assert.deepEqual(frame?.destination, clientMac);
  const packet = decodeIpv6(frame?.payload ?? new Uint8Array());
  assert.ok(packet !== undefined);
  assert.equal(packet.hopLimit, 255);
  assert.deepEqual(packet.source, address(vip6));
  assert.deepEqual(packet.destination, address("2001:db8::99"));
  assert.equal(ipv6Checksum(packet.source, packet.destination, 58, packet.payload), 0);
  assert.deepEqual(decodeNeighborMessage(packet.payload), {
    kind: "advertisement",
    target: address(vip6),
    linkAddress: ourMac,
    router: false,
    solicited: true,
    override: true,
  });
});

test("a Neighbor Solicitation without link address is answered to where the frame came from", () => {
  assert.deepEqual(decodeEthernet(replyTo(ndpFrame(solicitation(vip6, "none"))))?.destination, clientMac);
});

test("duplicate address detection is answered to all nodes, unsolicited (RFC 4861 section 7.2.4)", () => {
  const frame = decodeEthernet(replyTo(ndpFrame(solicitation(vip6, "none"), { source: address("::") })));
  assert.equal(formatMac(frame?.destination ?? new Uint8Array()), formatMac(multicastMac(allNodes)));
  const packet = decodeIpv6(frame?.payload ?? new Uint8Array());
  assert.deepEqual(packet?.destination, allNodes);
  const message = decodeNeighborMessage(packet?.payload ?? new Uint8Array());
  assert.equal(message?.kind === "advertisement" && message.solicited, false);
});

const silence: readonly (readonly [string, Uint8Array, Ignored])[] = [
  ["an ARP request for another address", arpRequest("192.0.2.201"), "unrelated"],
  ["an ARP request sent to another host", arpRequest(vip, "192.0.2.99", mac("02:00:00:00:00:55")), "unrelated"],
  ["an ARP request that is cut off", arpRequest(vip).subarray(0, 41), "malformed"],
  ["an ARP request for another protocol", withByte(arpRequest(vip), 16, 0x06), "malformed"],
  ["an ARP request from a group address", withByte(arpRequest(vip), 22, 0x01), "malformed"],
  ["a frame without a whole header", arpRequest(vip).subarray(0, 13), "malformed"],
  ["a solicitation for another address", ndpFrame(solicitation("2001:db8::201")), "unrelated"],
  ["a solicitation that came through a router", ndpFrame(solicitation(vip6), { hopLimit: 254 }), "malformed"],
  ["a solicitation with a wrong checksum", ndpFrame(solicitation(vip6), { spoilChecksum: true }), "malformed"],
  ["a solicitation from nowhere with a link address", ndpFrame(solicitation(vip6), fromNowhere), "malformed"],
  ["a solicitation from a multicast address", ndpFrame(solicitation(vip6), { source: allNodes }), "malformed"],
  ["a solicitation with a multicast link address", ndpFrame(solicitation(vip6, broadcastMac)), "malformed"],
  ["a solicitation that is cut off", ndpFrame(solicitation(vip6)).subarray(0, 60), "malformed"],
  ["a VLAN-tagged request", tagged(arpRequest(vip)), "unrelated"],
  ["a frame from a group address", withSource(arpRequest(vip), broadcastMac), "malformed"],
  ["a request of our own from another interface", withSource(arpRequest(vip), otherOwnMac), "unrelated"],
];
for (const [name, frame, why] of silence)
  test(`${name} gets no answer, and counts as ${why}`, () => assert.equal(respond(frame, both), why));

function withByte(frame: Uint8Array, place: number, byte: number): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy[place] = byte;
  return copy;
}

function tagged(frame: Uint8Array): Uint8Array {
  return Uint8Array.of(...frame.subarray(0, 12), 0x81, 0x00, 0, 5, ...frame.subarray(12));
}

function withSource(frame: Uint8Array, source: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy.set(source, 6);
  return copy;
}

for (const operation of ["request", "reply"] as const) {
  test(`an ARP ${operation} from another device that claims our address is a conflict`, () => {
    const payload = encodeArp({
      operation,
      senderMac: clientMac,
      senderAddress: address(vip),
      targetMac: clientMac,
      targetAddress: address(vip),
    });
    const frame = { destination: broadcastMac, source: clientMac, etherType: etherTypes.arp, payload };
    assert.deepEqual(respond(encodeEthernet(frame), both), {
      kind: "conflict",
      address: address(vip),
      mac: clientMac,
    });
  });
}

test("an advertisement of another device for our address is a conflict", () => {
  const frame = ndpFrame(
    {
      kind: "advertisement",
      target: address(vip6),
      linkAddress: clientMac,
      router: false,
      solicited: false,
      override: true,
    },
    { destination: allNodes },
  );
  assert.deepEqual(respond(frame, both), { kind: "conflict", address: address(vip6), mac: clientMac });
});

test("what this node announces is not a conflict when it arrives on another interface", () => {
  for (const text of [vip, vip6]) {
    for (const frame of gratuitousFrames(otherOwnMac, address(text))) assert.equal(respond(frame, both), "unrelated");
  }
});

test("what another speaker announces is a conflict", () => {
  for (const text of [vip, vip6]) {
    for (const frame of gratuitousFrames(clientMac, address(text))) {
      const answer = respond(frame, both);
      assert.ok(typeof answer !== "string" && answer.kind === "conflict");
    }
  }
});

test("no frame makes it throw, and none gets a reply for an address that is not ours", () => {
  const seeds = [arpRequest(vip), ndpFrame(solicitation(vip6)), ...gratuitousFrames(clientMac, address(vip))];
  const spoilt = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat({ max: 100 }),
    )
    .map(([seed, changes, cut]) => {
      const frame = Uint8Array.from(seed);
      for (const [place, byte] of changes) frame[place % frame.length] = byte;
      return frame.subarray(0, cut < 90 ? frame.length : cut % frame.length);
    });
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 128 })), (frame) => {
      const before = Uint8Array.from(frame);
      assert.equal(typeof respond(frame, table("198.51.100.1")), "string");
      const answer = respond(frame, both);
      assert.deepEqual(frame, before);
      if (typeof answer !== "string" && answer.kind === "reply")
        assert.deepEqual(decodeEthernet(answer.frame)?.source, ourMac);
    }),
    { numRuns: 2000 },
  );
});
