import { projectMetallbAdvertisement } from "../../../../controller/observe/metallb-advertisement.ts";
import { l2AdvertisementSchema } from "../../../../src/api/l2-advertisement.ts";
import { parseObject } from "../../../../src/kube/parse-object.ts";
import type { InvalidObject } from "../../../../src/kube/view-store.ts";
import type { ReasonCode } from "../../../../src/model/reason.ts";

/** One row: an L2Advertisement that cannot be used, and what the event about it says. */
export interface RefusedAdvertisementCase {
  readonly name: string;
  readonly project: (raw: unknown) => object | InvalidObject;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly code: ReasonCode;
  readonly says: RegExp;
}

const own = { project: parseObject(l2AdvertisementSchema), metadata: { name: "lan" } };
const metallb = { project: projectMetallbAdvertisement, metadata: { name: "lan", namespace: "metallb-system" } };

export const refusedAdvertisementCases: readonly RefusedAdvertisementCase[] = [
  {
    ...own,
    name: "one of ours with a text in place of a list",
    spec: { interfaces: "eth0" },
    code: "AdvertisementInvalid",
    says: /spec\.interfaces is "eth0"/,
  },
  {
    ...own,
    name: "one of ours with a weight that is too high",
    spec: { preferredNodeSelectors: [{ weight: 101, preference: {} }] },
    code: "AdvertisementInvalid",
    says: /preferredNodeSelectors\.0\.weight is 101/,
  },
  {
    ...metallb,
    name: "one of MetalLB with a text in place of a list",
    spec: { interfaces: "eth0" },
    code: "AdvertisementInvalid",
    says: /spec\.interfaces is "eth0"/,
  },
  {
    ...metallb,
    name: "one of MetalLB with a field that is not known",
    spec: { novel: true },
    code: "MetallbFieldUnknown",
    says: /metallb-system\/lan of MetalLB sets spec\.novel/,
  },
];
