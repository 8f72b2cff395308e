import type { Data } from "../../src/nft/data.ts";
import type { Element } from "./element.ts";
import { elementOf, hasKeyAmong, keepElements } from "./kept-element.ts";

/**
 * The ports of Services whose elements have one of these keys, as `80/TCP`, sorted. Keys that are only an address or a node port name none: the
 * answer of the kernel has these. Pure.
 */
export function refusedPorts(elements: Iterable<Element>, keys: ReadonlySet<Data>): readonly string[] {
  const ports = new Set<string>();
  if (keys.size === 0) return [];
  for (const [id, kept] of keepElements(elements)) {
    const port = portOf(elementOf(id, kept));
    if (port !== undefined && hasKeyAmong({ id, kept }, keys)) ports.add(port);
  }
  return [...ports].sort();
}

function portOf({ set, key }: Element): string | undefined {
  if (!("port" in key)) return undefined;
  const protocol = "protocol" in key ? key.protocol : set === "udp_endpoints" ? "udp" : "tcp";
  return `${key.port}/${protocol.toUpperCase()}`;
}
