import { addressFromBytes, formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { solicitedNode } from "../../src/packet/ndp.ts";
import type { AnnouncedInterface } from "../responder/announced-interface.ts";
import type { GroupSocket } from "./group-socket.ts";

/** One multicast group on one interface. */
interface GroupMembership {
  readonly group: string;
  readonly interfaceName: string;
}

interface KeyedMembership extends GroupMembership {
  /** The index is part of it: an interface that was deleted and made again has lost its memberships. */
  readonly key: string;
}

/** The kernel charges a socket's memberships to its option memory (net.core.optmem_max), which holds a few hundred. */
const groupsPerSocket = 64;

/**
 * Joins the solicited-node groups of IPv6 addresses the way any program does, so that the kernel reports them by MLD: a switch that snoops
 * sends requests for the address only to ports on which it received such a report. The packet socket's own membership opens the network
 * card's filter, but says nothing to the switch. Every owner of an address joins, so that a takeover does not wait for the switch.
 */
export class MulticastGroups {
  readonly #open: () => Promise<GroupSocket>;
  readonly #log: Logger;
  /** By address. */
  readonly #memberships = new Map<string, readonly KeyedMembership[]>();
  /** By group and interface: the addresses that need the group. */
  readonly #required = new Map<string, GroupMembership & { readonly addresses: Set<string> }>();
  readonly #joined = new Map<string, GroupMembership & { readonly socket: GroupSocket }>();
  /** How many memberships each socket holds, and the sockets that can hold more. */
  readonly #sockets = new Map<GroupSocket, number>();
  readonly #withRoom = new Set<GroupSocket>();
  #pending: Promise<void> = Promise.resolve();

  constructor(open: () => Promise<GroupSocket>, log: Logger) {
    this.#open = open;
    this.#log = log;
  }

  /**
   * Joins the group of the address on these interfaces, and leaves it on others where no other address needs it. Failures are logged: a LAN
   * without snooping works all the same.
   */
  put(text: string, address: Uint8Array, interfaces: readonly AnnouncedInterface[]): void {
    if (address.length !== 16) return;
    const before = this.#memberships.get(text) ?? [];
    const group = groupText(address);
    const after = interfaces.map(({ name, index }) => ({
      group,
      interfaceName: name,
      key: `${group} ${name} ${index}`,
    }));
    if (before.map(({ key }) => key).join() === after.map(({ key }) => key).join()) return;
    if (after.length === 0) this.#memberships.delete(text);
    else this.#memberships.set(text, after);
    for (const membership of after) this.#require(membership, text);
    const keys = new Set(after.map(({ key }) => key));
    for (const { key } of before) if (!keys.has(key)) this.#release(key, text);
    void this.#sync(new Set([...before.map(({ key }) => key), ...keys]));
  }

  /** Joins again where that failed; costs as much as there are groups. */
  retry(): void {
    void this.#sync(this.#required.keys());
  }

  /** Resolves when all earlier calls are done. */
  get done(): Promise<void> {
    return this.#pending;
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.close();
    this.#sockets.clear();
    this.#withRoom.clear();
    this.#joined.clear();
  }

  /** When all earlier calls are done: leaves and joins these. */
  #sync(keys: Iterable<string>): Promise<void> {
    this.#pending = this.#pending.then(async () => {
      const touched = [...keys];
      for (const key of touched) if (!this.#required.has(key)) this.#leave(key);
      for (const key of touched) if (!this.#joined.has(key) && !(await this.#join(key))) return;
    });
    return this.#pending;
  }

  #require({ key, group, interfaceName }: KeyedMembership, text: string): void {
    const required = this.#required.get(key) ?? { group, interfaceName, addresses: new Set() };
    required.addresses.add(text);
    this.#required.set(key, required);
  }

  #release(key: string, text: string): void {
    const addresses = this.#required.get(key)?.addresses;
    addresses?.delete(text);
    if (addresses?.size === 0) this.#required.delete(key);
  }

  #leave(key: string): void {
    const joined = this.#joined.get(key);
    if (joined === undefined) return;
    const { socket, group, interfaceName } = joined;
    this.#joined.delete(key);
    this.#count(socket, -1);
    this.#attempt("leave", group, interfaceName, () => socket.leave(group, interfaceName));
  }

  /** Returns whether there was a socket to join with. */
  async #join(key: string): Promise<boolean> {
    const required = this.#required.get(key);
    if (required === undefined) return true;
    const { group, interfaceName } = required;
    const socket = await this.#socketWithRoom();
    if (socket === undefined) return false;
    if (!this.#attempt("join", group, interfaceName, () => socket.join(group, interfaceName))) return true;
    this.#joined.set(key, { socket, group, interfaceName });
    this.#count(socket, 1);
    return true;
  }

  #count(socket: GroupSocket, change: 1 | -1): void {
    const count = (this.#sockets.get(socket) ?? 0) + change;
    this.#sockets.set(socket, count);
    if (count < groupsPerSocket) this.#withRoom.add(socket);
    else this.#withRoom.delete(socket);
  }

  async #socketWithRoom(): Promise<GroupSocket | undefined> {
    for (const socket of this.#withRoom) return socket;
    try {
      const socket = await this.#open();
      this.#sockets.set(socket, 0);
      this.#withRoom.add(socket);
      return socket;
    } catch (error) {
      this.#log.warn(
        { err: error },
        "cannot open a socket for multicast groups; switches with MLD snooping may not forward neighbor solicitations",
      );
      return undefined;
    }
  }

  #attempt(what: "join" | "leave", group: string, interfaceName: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      // An interface that is gone has taken its memberships with it.
      this.#log.debug({ err: error, group, interfaceName }, `cannot ${what} a multicast group`);
      return false;
    }
  }
}

function groupText(address: Uint8Array): string {
  return formatAddress(addressFromBytes(solicitedNode(address)));
}
