import type { AllocationCase } from "./allocation-case.ts";

const shown = { "default/other": ["192.0.2.10"] };
const sharing = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
const other = { namespace: "default", name: "other", uid: "other-uid", sharing };

/** An address that another Service shows, whoever wrote it there. */
export const shownElsewhereCases: readonly AllocationCase[] = [
  {
    name: "an address that another Service shows without a claim is not assigned",
    shown,
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "nor is it assigned to a Service that requests it",
    shown,
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: {
      code: "RequestedAddressTaken",
      field: "spec.loadBalancerIP",
      value: "192.0.2.10",
      names: ["192.0.2.10 is in the status of Service default/other"],
    },
  },
  {
    name: "a Service may have the address that it shows itself",
    shown: { "default/web": ["192.0.2.10"] },
    service: { loadBalancerIP: "192.0.2.10", shows: ["192.0.2.10"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "an address that two Services show without a claim is adopted by the first that comes",
    shown: { "default/web": ["192.0.2.10"], ...shown },
    service: { shows: ["192.0.2.10"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a shared address is joined although the Services that have it show it",
    shown,
    claims: [{ address: "192.0.2.10", pool: "lan", services: [other] }],
    service: { annotations: { "bellhop.dev/share": "front" } },
    assigns: ["192.0.2.10 joins from lan"],
  },
  {
    name: "it is joined although a Service that has left it and is being deleted still shows it",
    shown: { "shop/third": ["192.0.2.10"] },
    deleting: ["shop/third"],
    claims: [{ address: "192.0.2.10", pool: "lan", services: [other] }],
    service: { annotations: { "bellhop.dev/share": "front" } },
    assigns: ["192.0.2.10 joins from lan"],
  },
  {
    name: "an address without a claim is not assigned while a Service that is being deleted shows it",
    shown,
    deleting: ["default/other"],
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "but not where a Service shows it that does not have it",
    shown: { "shop/third": ["192.0.2.10"] },
    claims: [{ address: "192.0.2.10", pool: "lan", services: [other] }],
    service: { annotations: { "bellhop.dev/share": "front" } },
    assigns: ["192.0.2.11 new from lan"],
  },
];
