import type { IpAddress } from "../../src/ip/address.ts";
import type { NftProtocol } from "../../src/nft/data.ts";
import type { Element, FlowKey, NextHop } from "./element.ts";
import { nftFamilies } from "./tables.ts";

/** Another node that may know connections to an address. */
export interface Holder extends NextHop {
  readonly node: string;
  /** The hardware addresses of its interfaces on the LAN, as `02:00:00:00:00:01`. */
  readonly macs: readonly string[];
}

/** Which nodes may know the connections to an address. */
export interface AddressHolders {
  /** The node that answers for the address now; undefined: this node, or none is known. */
  readonly current: Holder | undefined;
  /** Other nodes that have answered before, without the current one, the last one first. Two of them count. */
  readonly previous: readonly Holder[];
}

/** The holders without some nodes. */
export function withoutNodes({ current, previous }: AddressHolders, nodes: ReadonlySet<string>): AddressHolders {
  const lives = ({ node }: Holder) => !nodes.has(node);
  return { current: current && lives(current) ? current : undefined, previous: previous.filter(lives) };
}

/**
 * The elements by which packets of unknown connections to an address are passed on. Pure. `moved`: this node has answered for a short time only.
 * A datagram that opens a flow looks like one of an open flow, so both are passed on then; it comes back if no node knows it.
 */
export function holderElements(
  address: IpAddress,
  { current, previous }: AddressHolders,
  moved: boolean,
): readonly Element[] {
  const [last, beforeLast] = previous;
  const family = nftFamilies[address.family];
  const elements: Element[] = [];
  const put = (set: "unknown_flows" | "passed_flows", protocol: NftProtocol, to: NextHop | "no node" | undefined) => {
    const key: FlowKey = { address, protocol };
    if (to !== undefined) elements.push({ family, set, key, value: to });
  };
  const next = current ?? last;
  if (next === undefined && !moved) return [];
  // What comes from the next node goes to the one after it.
  const afterNext = current === undefined ? beforeLast : last;
  put("unknown_flows", "tcp", next ?? "no node");
  put("passed_flows", "tcp", afterNext ?? "no node");
  if (current !== undefined || moved) {
    put("unknown_flows", "udp", next);
    // Where this node answers, a flow that no node knows is new.
    put("passed_flows", "udp", afterNext ?? current);
  }
  const errors = address.family === "IPv4" ? "icmp" : "icmpv6";
  put("unknown_flows", errors, next);
  put("passed_flows", errors, afterNext);
  for (const mac of next?.macs ?? []) elements.push({ family, set: "next_hop_macs", key: { address, mac } });
  const macs = new Set([current, last, beforeLast].flatMap((holder) => holder?.macs ?? []));
  for (const mac of macs) elements.push({ family, set: "peer_macs", key: { mac } });
  return elements;
}
