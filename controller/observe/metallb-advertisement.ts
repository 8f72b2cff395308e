import {
  type L2Advertisement,
  l2AdvertisementSchema,
  l2AdvertisementSpecSchema,
} from "../../src/api/l2-advertisement.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import { InvalidObject } from "../../src/kube/view-store.ts";
import { refuseUnknownFields } from "./metallb-fields.ts";

/** The fields that MetalLB's advertisements have, in versions 0.13 to 0.16 (api/v1beta1/l2advertisement_types.go), and that mean the same here. */
const parse = parseObject(
  l2AdvertisementSchema.pick({ metadata: true }).extend({
    spec: l2AdvertisementSpecSchema
      .pick({
        ipAddressPools: true,
        ipAddressPoolSelectors: true,
        nodeSelectors: true,
        interfaces: true,
        serviceSelectors: true,
        preferredNodeSelectors: true,
      })
      .default({}),
  }),
);

/** Reads an L2Advertisement of MetalLB as one of ours. Refuses one with fields that Bellhop does not know. */
export function projectMetallbAdvertisement(raw: unknown): L2Advertisement | InvalidObject {
  const advertisement = parse(raw);
  if (advertisement instanceof InvalidObject) return advertisement;
  return refuseUnknownFields("L2Advertisement", raw, advertisement.spec) ?? advertisement;
}
