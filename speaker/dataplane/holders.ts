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
  /**
   * Other nodes that have answered before, without the current one. Two of them count. Where this node answers, the last one comes first. Otherwise the
   * one that answered before this node did comes first, even if others have answered since: so packets find their way from node to node, back through
   * all moves.
   */
  readonly previous: readonly Holder[];
}

type FlowSet = "unknown_flows" | "passed_flows" | "returned_flows";

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
  const [first, second] = previous;
  const next = current ?? first;
  if (next === undefined && !moved) return [];
  const family = nftFamilies[address.family];
  const elements: Element[] = [];
  const put = (set: FlowSet, protocol: NftProtocol, to: NextHop | "no node" | undefined) => {
    const key: FlowKey = { address, protocol };
    if (to !== undefined) elements.push({ family, set, key, value: to });
  };
  // Where this node answers, all packets go the same way. Elsewhere, those of clients go to the node that answers, and the others come from there: they
  // go back through the moves.
  const nextAfterPass = first ?? current;
  const passed = current === undefined ? undefined : first;
  const returned = second ?? (first === undefined ? undefined : current);
  put("unknown_flows", "tcp", next ?? "no node");
  put("passed_flows", "tcp", passed);
  put("returned_flows", "tcp", returned ?? "no node");
  if (current !== undefined || moved) {
    put("unknown_flows", "udp", next);
    put("passed_flows", "udp", passed);
    // Where this node answers, a flow that no node knows is new.
    put("returned_flows", "udp", returned ?? current);
  }
  const errors = address.family === "IPv4" ? "icmp" : "icmpv6";
  put("unknown_flows", errors, next);
  put("passed_flows", errors, passed);
  put("returned_flows", errors, returned);
  for (const mac of nextAfterPass?.macs ?? []) elements.push({ family, set: "next_hop_macs", key: { address, mac } });
  const macs = new Set([current, first, second].flatMap((holder) => holder?.macs ?? []));
  for (const mac of macs) elements.push({ family, set: "peer_macs", key: { mac } });
  return elements;
}
