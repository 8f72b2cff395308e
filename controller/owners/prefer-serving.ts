import type { IpFamily } from "../../src/ip/address.ts";
import type { AnnouncerNode } from "./announcer-node.ts";

/** What says whether a node that may announce an address can serve it. */
export interface ServingNode extends Pick<AnnouncerNode, "ready" | "refusedServices"> {
  /** Whether the node drops no requests at one of the interfaces that it would announce from. */
  readonly serves: boolean;
}

/**
 * Of the nodes that may announce an address, those that can serve it: they drop no requests, they can write rules of its family, and their
 * kernel accepts those of its Services (`namespace/name`). Where there is none, those that lack the least of this, in the reverse order; in the end
 * all: an address is not taken from a node that still serves it, by earlier rules or by pods with the network of the node, if none does better.
 */
export function preferServing<Node extends ServingNode>(
  nodes: readonly Node[],
  family: IpFamily,
  services: readonly string[],
): readonly Node[] {
  const serving = nodes.filter(({ serves }) => serves);
  const ready = serving.filter((node) => node.ready[family]);
  const accepting = ready.filter((node) => refusedOf(node, services).length === 0);
  return [accepting, ready, serving].find((some) => some.length > 0) ?? nodes;
}

function refusedOf({ refusedServices }: ServingNode, services: readonly string[]): readonly string[] {
  return refusedServices.size === 0 ? [] : services.filter((service) => refusedServices.has(service));
}

/** Why the node cannot serve the address by what its speaker reports of rules and answers, in words; undefined: it can. */
export function describeUnready(node: ServingNode, family: IpFamily, services: readonly string[]): string | undefined {
  const refused = refusedOf(node, services);
  if (!node.ready[family])
    return `its speaker reports that it cannot serve ${family} addresses: see the conditions of the Speaker`;
  return refused.length === 0 ? undefined : `its kernel refuses the rules of Service ${refused.join(" and ")}`;
}
