import { assigned, mine, type PlanCase, shown } from "./plan-case.ts";

/** Settings that cannot be read, beside an address or without one. */
export const invalidSettingCases: readonly PlanCase[] = [
  {
    name: "a source range that cannot be read prevents no address: a warning beside it",
    service: { annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "192.0.2.0/33" } },
    ops: [
      "Normal EnsuringLoadBalancer",
      "Create 192.0.2.10",
      `Patch [192.0.2.10] ${assigned}, finalizer`,
      "Normal EnsuredLoadBalancer",
      "Warning SourceRangeInvalid",
    ],
  },
  {
    name: "nor does an unknown word for forwarding, on a Service that has its address",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/forwarding": "magic" } },
    ops: [`Patch ${assigned}`, "Warning ForwardingInvalid"],
  },
  {
    name: "nor does an unknown ipMode",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip-mode": "proxy" } },
    ops: [`Patch ${assigned}`, "Warning IpModeInvalid"],
  },
  {
    name: "nor does ipMode Proxy without forwarding by node port, and the status stays as it is",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip-mode": "Proxy" } },
    ops: [`Patch ${assigned}`, "Warning IpModeProxyWithoutNodePort"],
  },
  {
    name: "nor does an annotation with a mistyped name",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip": "192.0.2.12" } },
    ops: [`Patch ${assigned}`, "Warning AnnotationUnknown"],
  },
  {
    name: "such a warning comes after the reason for a False condition",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/forwarding": "magic" } },
    noAnnouncer: true,
    ops: ["Patch False NoAnnouncer", "Warning NoAnnouncer", "Warning ForwardingInvalid"],
  },
  {
    name: "without an address there is only the refusal",
    service: { loadBalancerIP: "198.51.100.1", annotations: { "bellhop.dev/forwarding": "magic" } },
    ops: ["Patch False RequestedAddressNotInPool", "Warning RequestedAddressNotInPool"],
  },
];
