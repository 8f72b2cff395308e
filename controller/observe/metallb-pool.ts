import { type IPAddressPool, ipAddressPoolSchema } from "../../src/api/ip-address-pool.ts";
import { formatRange, subnetOf } from "../../src/ip/range.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";

/** An IPAddressPool of MetalLB, read as one of ours. */
export interface MetallbPool extends IPAddressPool {
  readonly metallbNamespace: string;
}

const parse = parseObject(ipAddressPoolSchema);

/**
 * Keeps the meaning that the pool has for MetalLB where ours differs: host bits of a CIDR are ignored, and Services of different
 * namespaces may share an address.
 */
export function projectMetallbPool(raw: unknown): MetallbPool | InvalidObject {
  const pool = parse(raw);
  if (!("spec" in pool)) return pool;
  const { namespace } = (raw as { metadata: { namespace: string } }).metadata;
  const addresses = (pool.spec.addresses ?? []).map((text) => {
    const subnet = text.includes("-") ? undefined : subnetOf(text.trim());
    return subnet === undefined ? text : formatRange(subnet);
  });
  return Object.freeze({
    metadata: pool.metadata,
    spec: { ...pool.spec, addresses, sharing: { acrossNamespaces: true } },
    metallbNamespace: namespace,
  });
}
