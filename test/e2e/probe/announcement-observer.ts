import { networkInterfaces } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { addressBytes, parseAddress } from "../../../src/ip/address.ts";
import { decodeArp, encodeArp } from "../../../src/packet/arp.ts";
import { decodeEthernet, encodeEthernet, etherTypes } from "../../../src/packet/ethernet.ts";
import { decodeIpv6, encodeIpv6, ipv6Checksum, nextHeaderIcmpv6 } from "../../../src/packet/ipv6.ts";
import { broadcastMac, equalBytes, formatMac, parseMac, zeroMac } from "../../../src/packet/mac.ts";
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  multicastMac,
  ndpHopLimit,
  setChecksum,
  solicitedNode,
} from "../../../src/packet/ndp.ts";
import { LinuxPacketSockets } from "../../../src/packet-socket/linux-packet-sockets.ts";
import { monotonicMs } from "./monotonic.ts";
import { runProbe } from "./run-probe.ts";

/** What to watch, as JSON in the first argument. */
export interface ObserverOptions {
  readonly interfaceName: string;
  /** Addresses of the observing host itself, for the requests. */
  readonly own: { readonly ipv4: string; readonly ipv6: string };
  readonly addresses: readonly string[];
  /** A request for each address so often. */
  readonly intervalMs: number;
}

/** One frame that says which device has an address. */
export interface Observation {
  /** CLOCK_MONOTONIC, ms. */
  readonly atMs: number;
  readonly address: string;
  readonly mac: string;
  /** Sent to this host, which asked; otherwise to all, without a request. */
  readonly solicited: boolean;
}

/**
 * Asks by ARP and NDP who has each address, all the time, and notes every answer and every gratuitous frame. On a host of its own: it opens packet
 * sockets, so its own kernel asks nothing, and the tables of the clients learn nothing from the answers.
 */
async function observe(
  options: ObserverOptions,
  stopped: () => boolean,
  ready: () => void,
): Promise<readonly Observation[]> {
  const sockets = new LinuxPacketSockets();
  const arp = sockets.open(options.interfaceName, "arp");
  const ndp = sockets.open(options.interfaceName, "ndp");
  // Not from /sys, which shows the network of the machine.
  const mac = parseMac(networkInterfaces()[options.interfaceName]?.[0]?.mac ?? "");
  if (mac === undefined) throw new TypeError(`${options.interfaceName} has no MAC address`);
  const watched = options.addresses.map((address) => ({ address, bytes: bytesOf(address) }));
  const requests = watched.map(({ bytes }) =>
    bytes.length === 4
      ? { socket: arp, frame: arpRequest(mac, bytesOf(options.own.ipv4), bytes) }
      : { socket: ndp, frame: solicitation(mac, bytesOf(options.own.ipv6), bytes) },
  );
  const seen: Observation[] = [];
  const buffer = new Uint8Array(2048);
  const note = (bytes: Uint8Array, from: Uint8Array, to: Uint8Array) => {
    const atMs = monotonicMs();
    const found = watched.find((one) => equalBytes(one.bytes, bytes));
    if (found !== undefined) {
      seen.push({ atMs, address: found.address, mac: formatMac(from), solicited: equalBytes(to, mac) });
    }
  };
  let nextMs = monotonicMs();
  ready();
  while (!stopped()) {
    for (const { socket, frame } of requests) socket.send(frame);
    nextMs += options.intervalMs;
    for (let leftMs = nextMs - monotonicMs(); leftMs > 0; leftMs = nextMs - monotonicMs()) {
      for (const socket of sockets.wait([arp, ndp], Math.ceil(leftMs))) {
        for (let length = socket.receive(buffer); length !== undefined; length = socket.receive(buffer)) {
          readFrame(buffer.subarray(0, length), note);
        }
      }
    }
    await turn();
  }
  return seen;
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`${text} is not an address`);
  return addressBytes(address);
}

/** Calls `note` with the address, the device that says it has it, and the destination of the frame. */
function readFrame(bytes: Uint8Array, note: (address: Uint8Array, from: Uint8Array, to: Uint8Array) => void): void {
  const frame = decodeEthernet(bytes);
  if (frame?.etherType === etherTypes.arp) {
    const packet = decodeArp(frame.payload);
    if (packet !== undefined) note(packet.senderAddress, packet.senderMac, frame.destination);
  } else if (frame?.etherType === etherTypes.ipv6) {
    const packet = decodeIpv6(frame.payload);
    const message = packet?.nextHeader === nextHeaderIcmpv6 ? decodeNeighborMessage(packet.payload) : undefined;
    if (message?.kind === "advertisement") note(message.target, message.linkAddress ?? frame.source, frame.destination);
  }
}

function arpRequest(mac: Uint8Array, own: Uint8Array, address: Uint8Array): Uint8Array {
  const payload = encodeArp({
    operation: "request",
    senderMac: mac,
    senderAddress: own,
    targetMac: zeroMac,
    targetAddress: address,
  });
  return encodeEthernet({ destination: broadcastMac, source: mac, etherType: etherTypes.arp, payload });
}

function solicitation(mac: Uint8Array, own: Uint8Array, address: Uint8Array): Uint8Array {
  const destination = solicitedNode(address);
  const message = encodeNeighborMessage({ kind: "solicitation", target: address, linkAddress: mac });
  setChecksum(message, ipv6Checksum(own, destination, nextHeaderIcmpv6, message));
  const payload = encodeIpv6({
    source: own,
    destination,
    nextHeader: nextHeaderIcmpv6,
    hopLimit: ndpHopLimit,
    payload: message,
  });
  return encodeEthernet({ destination: multicastMac(destination), source: mac, etherType: etherTypes.ipv6, payload });
}

if (import.meta.main) await runProbe(observe);
