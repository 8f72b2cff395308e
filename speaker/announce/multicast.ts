import { createSocket } from "node:dgram";
import { once } from "node:events";
import { formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { solicitedNode } from "../../src/packet/ndp.ts";
import type { AddressChange, AnnouncedInterface, ResponderState } from "../responder/commands-between.ts";

/** A socket that holds memberships, and nothing else. */
export interface GroupSocket {
  /** Throws where the kernel refuses. */
  join(group: string, interfaceName: string): void;
  leave(group: string, interfaceName: string): void;
  close(): void;
}

interface Membership {
  readonly group: string;
  readonly interfaceName: string;
}

/** An address on an interface. */
type Place = Omit<AddressChange, "kind">;

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
  /** By group and interface: the addresses that need the group. */
  readonly #wanted = new Map<string, Membership & { readonly addresses: Set<string> }>();
  readonly #joined = new Map<string, Membership & { readonly socket: GroupSocket }>();
  /** How many memberships each socket holds, and the sockets that may hold more. */
  readonly #sockets = new Map<GroupSocket, number>();
  readonly #roomy = new Set<GroupSocket>();
  #pending: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<GroupSocket>, log: Logger) {
    this.#open = open;
    this.#log = log;
  }

  /**
   * Joins what is announced and leaves what no longer is; costs as much as there are addresses. Refusals are logged: unsnooped LANs
   * work without; what was refused is tried again with the next such call.
   */
  set(state: ResponderState): Promise<void> {
    const places = [...state.values()].flatMap((station) =>
      [...station.addresses].map(([text, address]) => ({ station, text, address })),
    );
    return this.#next(() => {
      this.#wanted.clear();
      for (const place of places) this.#want(place);
      return new Set([...this.#joined.keys(), ...this.#wanted.keys()]);
    });
  }

  /** Joins and leaves the groups of these addresses alone. */
  change(changes: readonly AddressChange[]): Promise<void> {
    return this.#next(() => {
      const touched = new Set<string>();
      for (const change of changes) {
        const key = change.kind === "announce" ? this.#want(change) : this.#unwant(change);
        if (key !== undefined) touched.add(key);
      }
      return touched;
    });
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.close();
    this.#sockets.clear();
    this.#roomy.clear();
    this.#joined.clear();
  }

  /** After all that came before: takes note, and brings the touched memberships to what is wanted, those first that are left. */
  #next(note: () => ReadonlySet<string>): Promise<void> {
    this.#pending = this.#pending.then(async () => {
      const touched = note();
      for (const key of touched) if (!this.#wanted.has(key)) this.#leave(key);
      for (const key of touched) if (!this.#joined.has(key) && !(await this.#join(key))) return;
    });
    return this.#pending;
  }

  #want({ station, text, address }: Place): string | undefined {
    if (address.length !== 16) return undefined;
    const [key, group] = keyOf(station, address);
    const wanted = this.#wanted.get(key) ?? { group, interfaceName: station.name, addresses: new Set() };
    wanted.addresses.add(text);
    this.#wanted.set(key, wanted);
    return key;
  }

  #unwant({ station, text, address }: Place): string | undefined {
    if (address.length !== 16) return undefined;
    const [key] = keyOf(station, address);
    const addresses = this.#wanted.get(key)?.addresses;
    addresses?.delete(text);
    if (addresses?.size === 0) this.#wanted.delete(key);
    return key;
  }

  #leave(key: string): void {
    const joined = this.#joined.get(key);
    if (joined === undefined) return;
    const { socket, group, interfaceName } = joined;
    this.#joined.delete(key);
    this.#count(socket, -1);
    this.#attempt("left", group, interfaceName, () => socket.leave(group, interfaceName));
  }

  /** Gives whether there was a socket to join by. */
  async #join(key: string): Promise<boolean> {
    const wanted = this.#wanted.get(key);
    if (wanted === undefined) return true;
    const { group, interfaceName } = wanted;
    const socket = await this.#socketWithRoom();
    if (socket === undefined) return false;
    if (!this.#attempt("joined", group, interfaceName, () => socket.join(group, interfaceName))) return true;
    this.#joined.set(key, { socket, group, interfaceName });
    this.#count(socket, 1);
    return true;
  }

  #count(socket: GroupSocket, change: 1 | -1): void {
    const count = (this.#sockets.get(socket) ?? 0) + change;
    this.#sockets.set(socket, count);
    if (count < groupsPerSocket) this.#roomy.add(socket);
    else this.#roomy.delete(socket);
  }

  async #socketWithRoom(): Promise<GroupSocket | undefined> {
    for (const socket of this.#roomy) return socket;
    try {
      const socket = await this.#open();
      this.#sockets.set(socket, 0);
      this.#roomy.add(socket);
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

/** The index tells an interface that was made anew under its old name. */
function keyOf({ name, index }: AnnouncedInterface, address: Uint8Array): readonly [key: string, group: string] {
  const group = groupText(address);
  return [`${group} ${name} ${index}`, group];
}

function groupText(address: Uint8Array): string {
  let value = 0n;
  for (const byte of solicitedNode(address)) value = (value << 8n) | BigInt(byte);
  return formatAddress({ family: "IPv6", value });
}
