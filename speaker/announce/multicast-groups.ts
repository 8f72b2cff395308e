import { addressFromBytes, formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { solicitedNode } from "../../src/packet/ndp.ts";
import type { AddressChange, AddressOnInterface } from "../responder/address-change.ts";
import type { AnnouncedInterface } from "../responder/announced-interface.ts";
import type { ResponderState } from "../responder/responder-state.ts";
import type { GroupSocket } from "./group-socket.ts";

/** One multicast group on one interface. */
interface GroupMembership {
  readonly group: string;
  readonly interfaceName: string;
}

/** The kernel charges a socket's memberships to its option memory (net.core.optmem_max), which holds a few hundred. */
const groupsPerSocket = 64;

/**
 * Joins the solicited-node groups of announced IPv6 addresses the way any program does, so that the kernel reports them by MLD: a
 * switch that snoops sends requests for the address only to ports on which it received such a report. The packet socket's own
 * membership opens the network card's filter, but says nothing to the switch.
 */
export class MulticastGroups {
  readonly #open: () => Promise<GroupSocket>;
  readonly #log: Logger;
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
   * Joins what is announced and leaves what no longer is; costs as much as there are addresses. Failures are logged: a LAN without
   * snooping works all the same. What failed is tried again with the next such call.
   */
  set(state: ResponderState): Promise<void> {
    const all = [...state.values()].flatMap((on) =>
      [...on.addresses].map(([text, address]): AddressOnInterface => ({ on, text, address })),
    );
    return this.#next(() => {
      this.#required.clear();
      for (const one of all) this.#require(one);
      return new Set([...this.#joined.keys(), ...this.#required.keys()]);
    });
  }

  /** Joins and leaves the groups of these addresses alone. */
  change(changes: readonly AddressChange[]): Promise<void> {
    return this.#next(() => {
      const touched = new Set<string>();
      for (const change of changes) {
        const key = change.kind === "announce" ? this.#require(change) : this.#release(change);
        if (key !== undefined) touched.add(key);
      }
      return touched;
    });
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.close();
    this.#sockets.clear();
    this.#withRoom.clear();
    this.#joined.clear();
  }

  /** When all earlier calls are done: takes note, then leaves and joins what `note` touched, in this order. */
  #next(note: () => ReadonlySet<string>): Promise<void> {
    this.#pending = this.#pending.then(async () => {
      const touched = note();
      for (const key of touched) if (!this.#required.has(key)) this.#leave(key);
      for (const key of touched) if (!this.#joined.has(key) && !(await this.#join(key))) return;
    });
    return this.#pending;
  }

  #require({ on, text, address }: AddressOnInterface): string | undefined {
    if (address.length !== 16) return undefined;
    const [key, group] = keyOf(on, address);
    const required = this.#required.get(key) ?? { group, interfaceName: on.name, addresses: new Set() };
    required.addresses.add(text);
    this.#required.set(key, required);
    return key;
  }

  #release({ on, text, address }: AddressOnInterface): string | undefined {
    if (address.length !== 16) return undefined;
    const [key] = keyOf(on, address);
    const addresses = this.#required.get(key)?.addresses;
    addresses?.delete(text);
    if (addresses?.size === 0) this.#required.delete(key);
    return key;
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

/** The index is part of the key: an interface that was deleted and made again has lost its memberships. */
function keyOf({ name, index }: AnnouncedInterface, address: Uint8Array): readonly [key: string, group: string] {
  const group = groupText(address);
  return [`${group} ${name} ${index}`, group];
}

function groupText(address: Uint8Array): string {
  return formatAddress(addressFromBytes(solicitedNode(address)));
}
