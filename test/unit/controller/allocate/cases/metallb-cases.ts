import type { AllocationCase } from "./allocation-case.ts";

const pools = [
  { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] },
  { name: "web", addresses: ["192.0.2.20"] },
];
const sharer = {
  namespace: "default",
  name: "first",
  uid: "first-uid",
  sharing: { key: "front", ports: ["81/TCP"], backends: "Cluster" },
};

/** Annotations of MetalLB's, which are in the view of a Service only where the controller honours them. */
export const metallbCases: readonly AllocationCase[] = [
  ...["metallb.io", "metallb.universe.tf"].flatMap((prefix): readonly AllocationCase[] => [
    {
      name: `${prefix}/loadBalancerIPs is a request`,
      service: { annotations: { [`${prefix}/loadBalancerIPs`]: "192.0.2.12" } },
      assigns: ["192.0.2.12 new from lan"],
    },
    ...["loadBalancerIPs", "address-pool", "allow-shared-ip"].map((name) => ({
      name: `an empty ${prefix}/${name} requests nothing`,
      service: { annotations: { [`${prefix}/${name}`]: "" } },
      assigns: ["192.0.2.10 new from lan"],
    })),
    {
      name: `${prefix}/loadBalancerIPs is the field of its refusal`,
      service: { annotations: { [`${prefix}/loadBalancerIPs`]: "none" } },
      assigns: [],
      refuses: {
        code: "RequestedAddressInvalid",
        field: `metadata.annotations[${prefix}/loadBalancerIPs]`,
        value: "none",
      },
    },
    {
      name: `${prefix}/address-pool names a pool`,
      pools,
      service: { annotations: { [`${prefix}/address-pool`]: "web" } },
      assigns: ["192.0.2.20 new from web"],
    },
    {
      name: `${prefix}/address-pool is the field of its refusal`,
      pools,
      service: { annotations: { [`${prefix}/address-pool`]: "nowhere" } },
      assigns: [],
      refuses: { code: "PoolNotFound", field: `metadata.annotations[${prefix}/address-pool]`, value: "nowhere" },
    },
    {
      name: `${prefix}/allow-shared-ip is a sharing key`,
      claims: [{ address: "192.0.2.11", pool: "lan", services: [sharer] }],
      service: { annotations: { [`${prefix}/allow-shared-ip`]: "front" } },
      assigns: ["192.0.2.11 joins from lan"],
    },
  ]),
  {
    name: "bellhop.dev/ips comes before MetalLB's",
    service: { annotations: { "metallb.io/loadBalancerIPs": "192.0.2.11", "bellhop.dev/ips": "192.0.2.12" } },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "an empty bellhop.dev/ips leaves MetalLB's",
    service: { annotations: { "metallb.io/loadBalancerIPs": "192.0.2.11", "bellhop.dev/ips": "" } },
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "bellhop.dev/pool comes before MetalLB's",
    pools,
    service: { annotations: { "metallb.io/address-pool": "web", "bellhop.dev/pool": "lan" } },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "MetalLB's present prefix comes before its former one",
    pools,
    service: { annotations: { "metallb.universe.tf/address-pool": "lan", "metallb.io/address-pool": "web" } },
    assigns: ["192.0.2.20 new from web"],
  },
];
