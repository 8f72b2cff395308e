import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ArpOperation, decodeArp, encodeArp } from "../../../../src/packet/arp.ts";
import { decodeEthernet, encodeEthernet, ethernetMinimumLength } from "../../../../src/packet/ethernet.ts";
import { decodeIpv6, encodeIpv6, ipv6Checksum } from "../../../../src/packet/ipv6.ts";
import { formatMac, isUnicastMac, parseMac } from "../../../../src/packet/mac.ts";
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  multicastMac,
  type NeighborMessage,
  setChecksum,
  solicitedNode,
} from "../../../../src/packet/ndp.ts";
import { bytes, checkCodec } from "./round-trip.ts";

const unicast6 = bytes(16).map((address) => {
  address[0] = 0x20;
  return address;
});

test("an Ethernet frame survives encode and decode", () => {
  checkCodec(
    fc.record({
      destination: bytes(6),
      source: bytes(6),
      etherType: fc.nat({ max: 0xffff }),
      payload: fc.uint8Array({ minLength: 46, maxLength: 80 }),
    }),
    encodeEthernet,
    decodeEthernet,
  );
});

test("a short Ethernet frame is padded to the minimum", () => {
  const mac = new Uint8Array(6);
  const frame = encodeEthernet({ destination: mac, source: mac, etherType: 0x0806, payload: new Uint8Array(28) });
  assert.equal(frame.length, ethernetMinimumLength);
});

test("an ARP packet survives encode and decode", () => {
  checkCodec(
    fc.record({
      operation: fc.constantFrom<ArpOperation>("request", "reply"),
      senderMac: bytes(6),
      senderAddress: bytes(4),
      targetMac: bytes(6),
      targetAddress: bytes(4),
    }),
    encodeArp,
    decodeArp,
  );
});

for (const [name, place, value] of [
  ["hardware type", 1, 6],
  ["protocol type", 2, 0x86],
  ["hardware length", 4, 8],
  ["protocol length", 5, 16],
  ["operation", 7, 3],
] as const) {
  test(`an ARP packet of another ${name} is none`, () => {
    const packet = encodeArp({
      operation: "request",
      senderMac: new Uint8Array(6),
      senderAddress: new Uint8Array(4),
      targetMac: new Uint8Array(6),
      targetAddress: new Uint8Array(4),
    });
    packet[place] = value;
    assert.equal(decodeArp(packet), undefined);
  });
}

test("an IPv6 packet survives encode and decode", () => {
  checkCodec(
    fc.record({
      source: bytes(16),
      destination: bytes(16),
      nextHeader: fc.nat({ max: 255 }),
      hopLimit: fc.nat({ max: 255 }),
      payload: fc.uint8Array({ maxLength: 60 }),
    }),
    encodeIpv6,
    decodeIpv6,
  );
});

test("padding behind an IPv6 packet is cut off, a missing end is refused", () => {
  const packet = encodeIpv6({
    source: new Uint8Array(16),
    destination: new Uint8Array(16),
    nextHeader: 58,
    hopLimit: 255,
    payload: Uint8Array.of(1, 2, 3),
  });
  const padded = new Uint8Array(packet.length + 9);
  padded.set(packet);
  assert.deepEqual(decodeIpv6(padded)?.payload, Uint8Array.of(1, 2, 3));
  assert.equal(decodeIpv6(packet.subarray(0, packet.length - 1)), undefined);
});

test("a neighbour message survives encode and decode", () => {
  const linkAddress = fc.option(bytes(6), { nil: undefined });
  checkCodec<NeighborMessage>(
    fc.oneof(
      fc.record({ kind: fc.constant("solicitation" as const), target: unicast6, linkAddress }),
      fc.record({
        kind: fc.constant("advertisement" as const),
        target: unicast6,
        linkAddress,
        router: fc.boolean(),
        solicited: fc.boolean(),
        override: fc.boolean(),
      }),
    ),
    encodeNeighborMessage,
    decodeNeighborMessage,
  );
});

test("a neighbour message with an option of length 0, or one that runs over the end, is refused", () => {
  const message = encodeNeighborMessage({
    kind: "solicitation",
    target: Uint8Array.of(0x20, ...new Uint8Array(15)),
    linkAddress: new Uint8Array(6),
  });
  for (const length of [0, 2]) {
    message[25] = length;
    assert.equal(decodeNeighborMessage(message), undefined);
  }
});

test("the checksum over a packet that carries it is 0", () => {
  fc.assert(
    fc.property(
      bytes(16),
      bytes(16),
      fc.uint8Array({ minLength: 4, maxLength: 90 }),
      (source, destination, message) => {
        message[2] = 0;
        message[3] = 0;
        setChecksum(message, ipv6Checksum(source, destination, 58, message));
        assert.equal(ipv6Checksum(source, destination, 58, message), 0);
      },
    ),
  );
});

test("the checksum of a known packet", () => {
  // Neighbor Solicitation from fe80::1 to ff02::1:ff00:2 for fe80::2 with link address 02:00:00:00:00:01: the words summed one by one.
  const source = Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 1);
  const destination = solicitedNode(Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 2));
  const message = encodeNeighborMessage({
    kind: "solicitation",
    target: Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 2),
    linkAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
  });
  const sum = 0xfe80 + 1 + 0xff02 + 1 + 0xff00 + 2 + 32 + 58 + 0x8700 + 0xfe80 + 2 + 0x0101 + 0x0200 + 1;
  const folded = (sum & 0xffff) + (sum >> 16);
  assert.equal(ipv6Checksum(source, destination, 58, message), ~((folded & 0xffff) + (folded >> 16)) & 0xffff);
});

test("the solicited-node group and its MAC", () => {
  const address = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78);
  assert.equal(formatMac(multicastMac(solicitedNode(address))), "33:33:ff:34:56:78");
});

test("MAC addresses as text", () => {
  fc.assert(fc.property(bytes(6), (mac) => assert.deepEqual(parseMac(formatMac(mac)), mac)));
  for (const text of ["", "52:54:00:12:34", "52:54:00:12:34:5g", "52-54-00-12-34-56", "52:54:00:12:34:56:78"]) {
    assert.equal(parseMac(text), undefined);
  }
  assert.equal(isUnicastMac(Uint8Array.of(1, 0, 0x5e, 0, 0, 1)), false);
  assert.equal(isUnicastMac(new Uint8Array(6)), false);
  assert.equal(isUnicastMac(Uint8Array.of(2, 0, 0, 0, 0, 1)), true);
});
