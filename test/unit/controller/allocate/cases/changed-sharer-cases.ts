import type { AllocationCase } from "./allocation-case.ts";
import { first, joins, own, share, sharer } from "./sharers.ts";

const field = "spec.loadBalancerIP";
const requested = { field, value: "192.0.2.10", names: ["default/first"] } as const;

/** The one that changes yields. */
export const changedSharerCases: readonly AllocationCase[] = [
  {
    name: "what a Service takes is recorded again when its ports change",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"])] }],
    service: { ...share(), ports: ["81/TCP"], shows: ["192.0.2.10"], ours: true },
    assigns: joins,
  },
  {
    name: "a Service that is recorded as it is stays as it is",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"])] }],
    service: { ...share(), shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "a Service that is alone may stop sharing where it is",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"])] }],
    service: { shows: ["192.0.2.10"], ours: true },
    assigns: joins,
  },
  {
    name: "a Service that stops sharing moves away from others",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"]), sharer("first", ["81/TCP"])] }],
    service: { shows: ["192.0.2.10"], ours: true },
    assigns: own,
  },
  {
    name: "a Service that takes the port of another moves",
    claims: [{ ...first, services: [sharer("web", ["81/TCP"]), sharer("first", ["80/TCP"])] }],
    service: { ...share(), shows: ["192.0.2.10"], ours: true },
    assigns: own,
  },
  {
    name: "a Service that requests the address and takes the port of another loses it",
    claims: [{ ...first, services: [sharer("web", ["81/TCP"]), sharer("first", ["80/TCP"])] }],
    service: { ...share(), loadBalancerIP: "192.0.2.10", shows: ["192.0.2.10"], ours: true },
    assigns: [],
    refuses: { code: "SharingPortTaken", ...requested },
  },
  {
    name: "a Service that did not change stays beside one that did and is not recorded yet",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"]), sharer("first", ["81/TCP"])] }],
    service: { ...share(), shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "sharers whose pool no longer allows several namespaces stay together",
    claims: [{ ...first, services: [sharer("web", ["80/TCP"]), sharer("first", ["81/TCP"], { namespace: "shop" })] }],
    service: { ...share(), shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "an address that several showed before is adopted by all, across namespaces too",
    claims: [{ address: "192.0.2.12", pool: "lan", services: [sharer("first", ["81/TCP"], { namespace: "shop" })] }],
    service: { ...share(), shows: ["192.0.2.12"] },
    assigns: ["192.0.2.12 joins from lan"],
  },
  {
    name: "reassign moves a sharer to another address of its key, not back to its own",
    claims: [
      { ...first, services: [sharer("web", ["80/TCP"]), sharer("first", ["81/TCP"])] },
      { address: "192.0.2.12", pool: "lan", services: [sharer("second", ["81/TCP"])] },
    ],
    service: {
      annotations: { "bellhop.dev/share": "front", "bellhop.dev/reassign": "1" },
      shows: ["192.0.2.10"],
      ours: true,
    },
    assigns: ["192.0.2.12 joins from lan"],
  },
  {
    name: "a reservation for several sharers takes each that fits",
    claims: [
      {
        address: "192.0.2.12",
        services: [{ namespace: "default", name: "web" }, { ...sharer("first", ["81/TCP"]) }],
        reservation: true,
      },
    ],
    service: share(),
    assigns: ["192.0.2.12 joins"],
  },
  {
    name: "a reservation for several does not take a sharer whose port another has",
    claims: [
      {
        address: "192.0.2.12",
        services: [{ namespace: "default", name: "web" }, { ...sharer("first", ["80/TCP"]) }],
        reservation: true,
      },
    ],
    service: share(),
    assigns: ["192.0.2.10 new from lan"],
  },
];
