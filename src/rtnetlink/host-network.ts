import type { NetlinkMessage } from "../netlink/messages.ts";
import type { Dump, FillRequest, NetlinkRequests } from "../netlink-socket/requests.ts";
import { addressMessages, type InterfaceAddress, readAddress, requestAddresses } from "./interface-address.ts";
import { interfaceMessages, type NetworkInterface, readInterface, requestInterfaces } from "./network-interface.ts";
import { type KernelRoute, readRoutes, requestRoutes, routeFamilies, routeMessages } from "./route.ts";

/** What the kernel says about the network of this node. Plain data. */
export interface HostNetwork {
  readonly interfaces: readonly NetworkInterface[];
  readonly addresses: readonly InterfaceAddress[];
  /** Default routes, and those to destinations in a subnet of an interface, in the order of the kernel's table. Others are left out. */
  readonly routes: readonly KernelRoute[];
}

/** RTNLGRP_* (linux/rtnetlink.h): changes of interfaces, and of addresses and routes of both families. */
export const hostNetworkGroups: readonly number[] = [1, 5, 7, 9, 11];

/** A dump that is interrupted by changes this often is taken as it is: another reading follows, because changes are reported. */
const dumpAttempts = 3;

/**
 * Reads the network in steps: between two of them the caller may do other work, because a routing table may be long. Returns the network. Throws
 * BellhopError NetlinkRefused, NetlinkMalformed or SocketFailed.
 */
export function* readHostNetwork(kernel: NetlinkRequests): Generator<void, HostNetwork> {
  const interfaces = yield* readAll(kernel, interfaceMessages.get, requestInterfaces, (message) => [
    readInterface(message),
  ]);
  const addresses = yield* readAll(kernel, addressMessages.get, requestAddresses, (message) => [readAddress(message)]);
  const isNear = nearDestination(addresses);
  const near = (message: NetlinkMessage) => readRoutes(message).filter(isNear);
  const ipv4 = yield* readAll(kernel, routeMessages.get, requestRoutes(routeFamilies.IPv4), near);
  const ipv6 = yield* readAll(kernel, routeMessages.get, requestRoutes(routeFamilies.IPv6), near);
  // A kernel without IPv6 answers a request for its routes with those of IPv4.
  return { interfaces, addresses, routes: [...ipv4, ...ipv6.filter(({ destination }) => destination.length === 16)] };
}

function* readAll<Item>(
  kernel: NetlinkRequests,
  type: number,
  fill: FillRequest,
  read: (message: NetlinkMessage) => readonly (Item | undefined)[],
): Generator<void, readonly Item[]> {
  for (let attempt = 1; ; attempt++) {
    const items: Item[] = [];
    const visit = (message: NetlinkMessage) => {
      for (const item of read(message)) if (item !== undefined) items.push(item);
    };
    // Without any route the kernel may have no routing table yet, as while the loopback interface is down (net/ipv4/fib_frontend.c, inet_dump_fib).
    const dump: Dump = kernel.dump(type, fill, visit, { missingIsEmpty: true });
    while (!dump.step()) yield;
    if (!dump.interrupted || attempt === dumpAttempts) return items;
  }
}

/** Whether a route is a default route, or its destination is in the subnet of an address. */
function nearDestination(addresses: readonly InterfaceAddress[]): (route: KernelRoute) => boolean {
  return ({ destination, prefixLength }) =>
    prefixLength === 0 ||
    addresses.some(
      ({ address, prefixLength: subnetLength }) =>
        address.length === destination.length &&
        subnetLength <= prefixLength &&
        sameBits(address, destination, subnetLength),
    );
}

function sameBits(left: Uint8Array, right: Uint8Array, bits: number): boolean {
  for (let index = 0; index * 8 < bits; index++) {
    const mask = bits - index * 8 >= 8 ? 0xff : 0xff00 >> (bits - index * 8);
    if ((((left[index] ?? 0) ^ (right[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
