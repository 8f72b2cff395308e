import { setImmediate as turn } from "node:timers/promises";
import { addressFromBytes, formatAddress } from "../../../src/ip/address.ts";
import { decodeArp } from "../../../src/packet/arp.ts";
import { decodeEthernet, etherTypes } from "../../../src/packet/ethernet.ts";
import { formatMac } from "../../../src/packet/mac.ts";
import { LinuxPacketSockets } from "../../../src/packet-socket/linux-packet-sockets.ts";
import { monotonicMs } from "./monotonic.ts";
import { runProbe } from "./run-probe.ts";

/** Where to listen, as JSON in the first argument. */
export interface ListenerOptions {
  readonly interfaceName: string;
}

/** One ARP packet that this host has received. */
export interface HeardArp {
  /** CLOCK_MONOTONIC, ms. */
  readonly atMs: number;
  readonly operation: "request" | "reply";
  /** The hardware address of the sender, and its address: 0.0.0.0 in a probe. */
  readonly mac: string;
  readonly sender: string;
  readonly target: string;
}

/** How often it is looked whether the listener is stopped. */
const lookMs = 100;

/** Notes every ARP packet on the LAN that this host receives, and sends none. */
async function listen(
  options: ListenerOptions,
  stopped: () => boolean,
  ready: () => void,
): Promise<readonly HeardArp[]> {
  const sockets = new LinuxPacketSockets();
  const socket = sockets.open(options.interfaceName, "arp");
  const heard: HeardArp[] = [];
  const buffer = new Uint8Array(2048);
  ready();
  while (!stopped()) {
    if (sockets.wait([socket], lookMs).length > 0) {
      for (let length = socket.receive(buffer); length !== undefined; length = socket.receive(buffer)) {
        const atMs = monotonicMs();
        const frame = decodeEthernet(buffer.subarray(0, length));
        const packet = frame?.etherType === etherTypes.arp ? decodeArp(frame.payload) : undefined;
        if (packet === undefined) continue;
        const { operation, senderMac, senderAddress, targetAddress } = packet;
        const [sender, target] = [senderAddress, targetAddress].map((bytes) => formatAddress(addressFromBytes(bytes)));
        heard.push({ atMs, operation, mac: formatMac(senderMac), sender: sender ?? "", target: target ?? "" });
      }
    }
    await turn();
  }
  return heard;
}

if (import.meta.main) await runProbe(listen);
