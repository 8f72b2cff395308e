import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { gratuitousFrames } from "../../../speaker/responder/gratuitous.ts";
import { addressBytes, parseAddress } from "../../../src/ip/address.ts";
import { parseMac } from "../../../src/packet/mac.ts";
import { LinuxPacketSockets } from "../../../src/packet-socket/linux-packet-sockets.ts";
import { runProbe } from "./run-probe.ts";

/** What to claim, as JSON in the first argument. */
export interface ClaimantOptions {
  readonly interfaceName: string;
  readonly addresses: readonly string[];
  readonly intervalMs: number;
}

/** Says to all on the LAN that this host has the addresses, as hosts do that begin to use one, again and again. Returns how often. */
async function claim(options: ClaimantOptions, stopped: () => boolean, ready: () => void): Promise<number> {
  const sockets = new LinuxPacketSockets();
  const arp = sockets.open(options.interfaceName, "arp");
  const ndp = sockets.open(options.interfaceName, "ndp");
  // Not from /sys, which shows the network of the machine.
  const mac = parseMac(networkInterfaces()[options.interfaceName]?.[0]?.mac ?? "");
  if (mac === undefined) throw new TypeError(`${options.interfaceName} has no MAC address`);
  let times = 0;
  ready();
  for (; !stopped(); times++) {
    for (const text of options.addresses) {
      const address = parseAddress(text);
      if (address === undefined) throw new TypeError(`${text} is not an address`);
      const socket = address.family === "IPv4" ? arp : ndp;
      for (const frame of gratuitousFrames(mac, addressBytes(address))) socket.send(frame);
    }
    await sleep(options.intervalMs);
  }
  return times;
}

if (import.meta.main) await runProbe(claim);
