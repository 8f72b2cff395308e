import type { AllocationCase } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const shown = { shows: ["192.0.2.10"], ours: true } as const;
const reference = { namespace: "default", name: "web" };

/** VirtualIPs that the user has made. */
export const reservationCases: readonly AllocationCase[] = [
  {
    name: "a reservation for the Service is its address",
    claims: [{ address: "192.0.2.12", services: [reference], reservation: true }],
    assigns: ["192.0.2.12 current"],
  },
  {
    name: "also outside every pool",
    claims: [{ address: "198.51.100.1", services: [reference], reservation: true }],
    assigns: ["198.51.100.1 current"],
  },
  {
    name: "also where the Service names a pool",
    claims: [{ address: "198.51.100.1", services: [reference], reservation: true }],
    service: inPool("lan"),
    assigns: ["198.51.100.1 current"],
  },
  {
    name: "a Service that has an address keeps that one, the lower of the two where neither is shown",
    claims: [mine, { address: "192.0.2.12", services: [reference], reservation: true }],
    service: shown,
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "and moves when it requests the reserved one",
    claims: [mine, { address: "192.0.2.12", services: [reference], reservation: true }],
    service: { ...shown, loadBalancerIP: "192.0.2.12" },
    assigns: ["192.0.2.12 current"],
  },
  {
    name: "a Service that requests another address gets that",
    claims: [{ address: "192.0.2.12", services: [reference], reservation: true }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "an address that is reserved without Services is refused",
    claims: [{ address: "192.0.2.12", reservation: true }],
    service: { loadBalancerIP: "192.0.2.12" },
    assigns: [],
    refuses: {
      code: "RequestedAddressReserved",
      field: "spec.loadBalancerIP",
      value: "192.0.2.12",
      names: ["192.0.2.12"],
    },
  },
  {
    name: "and so is one that is reserved for another Service",
    claims: [{ address: "192.0.2.12", services: [{ namespace: "shop", name: "web" }], reservation: true }],
    service: { loadBalancerIP: "192.0.2.12" },
    assigns: [],
    refuses: { code: "RequestedAddressReserved", field: "spec.loadBalancerIP", value: "192.0.2.12" },
  },
  {
    name: "a reservation with a uid is for that Service alone",
    claims: [{ address: "192.0.2.10", services: [{ ...reference, uid: "earlier-uid" }], reservation: true }],
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "a reservation for two Services without sharing keys is for neither",
    claims: [
      { address: "192.0.2.10", services: [reference, { namespace: "default", name: "first" }], reservation: true },
    ],
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "a requested reservation for two Services without sharing keys is refused",
    claims: [
      { address: "192.0.2.10", services: [reference, { namespace: "default", name: "first" }], reservation: true },
    ],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", field: "spec.loadBalancerIP", value: "192.0.2.10" },
  },
  {
    name: "a reservation for a sharer and a Service that does not exist yet",
    claims: [
      { address: "192.0.2.12", services: [reference, { namespace: "default", name: "first" }], reservation: true },
    ],
    service: { annotations: { "bellhop.dev/share": "front" } },
    assigns: ["192.0.2.12 joins"],
  },
];
