import { mine, type PlanCase, shown } from "./plan-case.ts";

/** Services of a class that others serve. */
export const otherClassCases: readonly PlanCase[] = [
  { name: "a Service of another class is not written to", service: { loadBalancerClass: "example.com/x" }, ops: [] },
  { name: "nor one without a class where these belong to others", noDefaultClass: true, ops: [] },
  {
    name: "a Service without a class that we served is released where these belong to others",
    noDefaultClass: true,
    claims: [mine],
    service: shown,
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "also when its claim is lost: the condition says what we assigned",
    noDefaultClass: true,
    service: shown,
    ops: ["Leave finalizer ingress", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "also while it is being deleted",
    noDefaultClass: true,
    claims: [mine],
    service: { ...shown, deleting: true },
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "once another controller has written its status, that and the finalizer are theirs",
    noDefaultClass: true,
    claims: [mine],
    service: { ...shown, shows: ["203.0.113.1"], assigned: ["192.0.2.10"] },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "one that we refused keeps what others have written",
    noDefaultClass: true,
    service: { finalizer: true, refused: true, shows: ["203.0.113.1"] },
    ops: ["Leave"],
  },
  {
    name: "a Service that went over to another class without an address loses our marks and its claim",
    claims: [mine],
    service: { ours: true, loadBalancerClass: "example.com/x" },
    ops: ["Leave finalizer", "Release 192.0.2.10"],
  },
  {
    name: "once the other class shows an address the finalizer may be theirs",
    claims: [mine],
    service: { ...shown, shows: ["203.0.113.1"], assigned: ["192.0.2.10"], loadBalancerClass: "example.com/x" },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "also if it is the same address, in another form than ours",
    claims: [mine],
    service: { ...shown, showsNoPorts: true, loadBalancerClass: "example.com/x" },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "a Service of a class that the settings no longer name is released: nothing else serves the address that it shows",
    claims: [mine],
    service: { ...shown, loadBalancerClass: "metallb.io/metallb" },
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning ForeignClass"],
  },
  {
    name: "a Service of another class with the finalizer, which is theirs",
    service: { loadBalancerClass: "example.com/x", finalizer: true },
    ops: [],
  },
  {
    name: "a Service that went over to another class before its condition was written",
    claims: [mine],
    service: { loadBalancerClass: "example.com/x", finalizer: true },
    ops: ["Leave finalizer", "Release 192.0.2.10"],
  },
];
