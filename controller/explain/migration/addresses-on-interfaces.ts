import type { Speaker } from "../../../src/api/speaker.ts";
import { formatAddress, parseAddress } from "../../../src/ip/address.ts";
import type { NodeView } from "../../../src/model/node.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AddressOnInterface } from "./remarks.ts";

/**
 * kube-vip puts the address of a Service on an interface, where it would count as an address of the node. Reads the speakers without these,
 * as they are once kube-vip is gone. Addresses that the Node object names are its own and stay.
 */
export function withoutAddressesOf(
  services: readonly ServiceView[],
  speakers: ReadonlyMap<string, Speaker>,
  nodes: ReadonlyMap<string, NodeView>,
): {
  readonly speakers: ReadonlyMap<string, Speaker>;
  readonly onInterfaces: ReadonlyMap<string, readonly AddressOnInterface[]>;
} {
  const owners = new Map<string, string[]>();
  for (const { key, ingress } of services) {
    for (const { ip } of ingress) {
      const address = canonical(ip);
      if (address !== undefined) owners.set(address, [...(owners.get(address) ?? []), key]);
    }
  }
  const onInterfaces = new Map<string, AddressOnInterface[]>();
  const cleaned = [...speakers].map(([node, speaker]): readonly [string, Speaker] => {
    const { status } = speaker;
    if (status === undefined) return [node, speaker];
    const { internalIPv4, internalIPv6, externalIPs = [] } = nodes.get(node) ?? {};
    const own = new Set([internalIPv4, internalIPv6, ...externalIPs].map((text) => canonical(text ?? "")));
    const interfaces = status.interfaces.map((link) => ({
      ...link,
      addresses: link.addresses.filter((text) => {
        const address = canonical(text.split("/")[0] ?? "") ?? "";
        const keys = own.has(address) ? [] : (owners.get(address) ?? []);
        for (const key of keys) {
          const found = onInterfaces.get(key) ?? [];
          found.push({ node, interface: link.name, text });
          onInterfaces.set(key, found);
        }
        return keys.length === 0;
      }),
    }));
    return [node, { ...speaker, status: { ...status, interfaces } }];
  });
  return { speakers: new Map(cleaned), onInterfaces };
}

function canonical(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}
