import { type IPAddressPool, ipAddressPoolSchema, ipAddressPoolSpecSchema } from "../../src/api/ip-address-pool.ts";
import { formatRange, subnetOf } from "../../src/ip/range.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import { InvalidObject } from "../../src/kube/view-store.ts";
import { refuseUnknownFields } from "./metallb-fields.ts";

/** An IPAddressPool of MetalLB, read as one of ours. */
export interface MetallbPool extends IPAddressPool {
  readonly metallbNamespace: string;
}

/** The fields that MetalLB's pools have, in versions 0.13 to 0.16 (api/v1beta1/ipaddresspool_types.go), and that mean the same here. */
const parse = parseObject(
  ipAddressPoolSchema.pick({ metadata: true }).extend({
    spec: ipAddressPoolSpecSchema.pick({
      addresses: true,
      autoAssign: true,
      avoidBuggyIPs: true,
      serviceAllocation: true,
    }),
  }),
);

/**
 * Keeps the meaning that the pool has for MetalLB where ours differs: host bits of a CIDR are ignored, and Services of different
 * namespaces may share an address. Refuses a pool with fields that Bellhop does not know.
 */
export function projectMetallbPool(raw: unknown): MetallbPool | InvalidObject {
  const pool = parse(raw);
  if (pool instanceof InvalidObject) return pool;
  const refused = refuseUnknownFields("IPAddressPool", raw, pool.spec);
  if (refused !== undefined) return refused;
  const { namespace } = (raw as { metadata: { namespace: string } }).metadata;
  const addresses = (pool.spec.addresses ?? []).map((text) => {
    const subnet = text.includes("-") ? undefined : subnetOf(text.trim());
    return subnet === undefined ? text : formatRange(subnet);
  });
  const spec = ipAddressPoolSpecSchema.parse({ ...pool.spec, addresses, sharing: { acrossNamespaces: true } });
  return Object.freeze({ metadata: pool.metadata, spec, metallbNamespace: namespace });
}
