import { addressBytes, parseAddress } from "../../../../src/ip/address.ts";
import { parseMac } from "../../../../src/packet/mac.ts";
import type { HostNetwork } from "../../../../src/rtnetlink/host-network.ts";
import type { NetworkInterface } from "../../../../src/rtnetlink/network-interface.ts";
import type { KernelRoute } from "../../../../src/rtnetlink/route.ts";

/** An interface with its addresses, with prefix lengths. */
export type InterfaceFixture = Omit<Partial<NetworkInterface>, "mac"> & {
  readonly mac?: string;
  readonly addresses?: readonly string[];
};

/** A route in words: `to` with a prefix length, or `default`. */
export interface RouteFixture {
  readonly to: string;
  readonly by: string;
  readonly via?: string;
  readonly metric?: number;
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is not an address`);
  return addressBytes(address);
}

/** A MAC address of any length. */
function macBytes(text: string): Uint8Array {
  return parseMac(text) ?? Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}

/** What the kernel would report. Interfaces have a carrier and are up, are network cards, and have the index of their place from 2. */
export function hostNetwork(
  interfaces: Readonly<Record<string, InterfaceFixture>>,
  routes: readonly RouteFixture[] = [],
): HostNetwork {
  const all = Object.entries(interfaces).map(
    ([name, { mac = "02:00:00:00:00:01", addresses = [], ...change }], at) => ({
      addresses,
      facts: {
        index: at + 2,
        name,
        mac: macBytes(mac),
        loopback: false,
        kind: undefined,
        hasMaster: false,
        carrier: true,
        state: "up",
        ...change,
      } satisfies NetworkInterface as NetworkInterface,
    }),
  );
  const indexes = new Map(all.map(({ facts }) => [facts.name, facts.index]));
  return {
    interfaces: all.map(({ facts }) => facts),
    addresses: all.flatMap(({ addresses, facts }) =>
      addresses.map((text) => {
        const [address = "", length = ""] = text.split("/");
        return { interfaceIndex: facts.index, address: bytesOf(address), prefixLength: Number(length) };
      }),
    ),
    routes: routes.map(({ to, by, via, metric = 0 }): KernelRoute => {
      const ipv6 = to.includes(":") || via?.includes(":") === true;
      const [destination = "", length = ""] = (to === "default" ? (ipv6 ? "::/0" : "0.0.0.0/0") : to).split("/");
      return {
        interfaceIndex: indexes.get(by) ?? 99,
        destination: bytesOf(destination),
        prefixLength: Number(length),
        gateway: via === undefined ? undefined : bytesOf(via),
        metric,
      };
    }),
  };
}
