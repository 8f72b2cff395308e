import { createSocket } from "node:dgram";
import { once } from "node:events";
import { formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { solicitedNode } from "../../src/packet/ndp.ts";
import type { ResponderState } from "../responder/commands-between.ts";

/** A socket that holds memberships, and nothing else. */
export interface GroupSocket {
  /** Throws where the kernel refuses. */
  join(group: string, interfaceName: string): void;
  leave(group: string, interfaceName: string): void;
  close(): void;
}

/** The kernel charges a socket's memberships to its option memory (net.core.optmem_max), which holds a few hundred. */
const groupsPerSocket = 64;

/** A UDP socket on the loopback: bound to where nothing can reach it, it still joins groups on every interface. */
export async function openGroupSocket(): Promise<GroupSocket> {
  const socket = createSocket({ type: "udp6", ipv6Only: true });
  socket.bind(0, "::1");
  await once(socket, "listening");
  socket.unref();
  return {
    join: (group, interfaceName) => socket.addMembership(group, `::%${interfaceName}`),
    leave: (group, interfaceName) => socket.dropMembership(group, `::%${interfaceName}`),
    close: () => socket.close(),
  };
}

/**
 * Joins the solicited-node groups of announced IPv6 addresses the way any program does, so that the kernel reports them by MLD: a
 * switch that snoops sends requests for the address only to ports from which it heard such a report. The packet socket's own
 * membership opens the network card's filter, but says nothing to the switch.
 */
export class MulticastGroups {
  readonly #open: () => Promise<GroupSocket>;
  readonly #log: Logger;
  readonly #joined = new Map<
    string,
    { readonly socket: GroupSocket; readonly group: string; readonly interfaceName: string }
  >();
  readonly #sockets = new Map<GroupSocket, number>();
  #pending: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<GroupSocket>, log: Logger) {
    this.#open = open;
    this.#log = log;
  }

  /** Joins what is announced and leaves what no longer is. Refusals are logged: unsnooped LANs work without. */
  set(state: ResponderState): Promise<void> {
    this.#pending = this.#pending.then(() => this.#set(state));
    return this.#pending;
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.close();
    this.#sockets.clear();
    this.#joined.clear();
  }

  async #set(state: ResponderState): Promise<void> {
    const wanted = new Map<string, { readonly group: string; readonly interfaceName: string }>();
    for (const [interfaceName, station] of state) {
      for (const address of station.addresses.values()) {
        if (address.length !== 16) continue;
        const group = groupText(address);
        // The index tells an interface that was made anew under its old name.
        wanted.set(`${group} ${interfaceName} ${station.index}`, { group, interfaceName });
      }
    }
    for (const [key, { socket, group, interfaceName }] of this.#joined) {
      if (wanted.has(key)) continue;
      this.#joined.delete(key);
      this.#sockets.set(socket, (this.#sockets.get(socket) ?? 1) - 1);
      this.#attempt("left", group, interfaceName, () => socket.leave(group, interfaceName));
    }
    for (const [key, { group, interfaceName }] of wanted) {
      if (this.#joined.has(key)) continue;
      const socket = await this.#socketWithRoom();
      if (socket === undefined) return;
      if (!this.#attempt("joined", group, interfaceName, () => socket.join(group, interfaceName))) continue;
      this.#joined.set(key, { socket, group, interfaceName });
      this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1);
    }
  }

  async #socketWithRoom(): Promise<GroupSocket | undefined> {
    for (const [socket, count] of this.#sockets) if (count < groupsPerSocket) return socket;
    try {
      const socket = await this.#open();
      this.#sockets.set(socket, 0);
      return socket;
    } catch (error) {
      this.#log.warn(
        { err: error },
        "multicast groups cannot be joined: switches that snoop MLD may keep requests away",
      );
      return undefined;
    }
  }

  #attempt(what: "joined" | "left", group: string, interfaceName: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      // An interface that is gone has taken its memberships with it.
      this.#log.debug({ err: error, group, interfaceName }, `a multicast group was not ${what}`);
      return false;
    }
  }
}

function groupText(address: Uint8Array): string {
  let value = 0n;
  for (const byte of solicitedNode(address)) value = (value << 8n) | BigInt(byte);
  return formatAddress({ family: "IPv6", value });
}
