import { describeKept } from "../../../../controller/allocate/claim/assigned-condition.ts";

/** What one Service shows, and what is released of it. */
export interface ReleaseCase {
  readonly name: string;
  /** Addresses in its status. */
  readonly shows?: readonly string[];
  /** `status reason message` of our condition. */
  readonly condition?: readonly [string, string, string];
  readonly finalizer?: boolean;
  /** The API server has recorded that our controller added the finalizer. */
  readonly added?: true;
  readonly loadBalancerClass?: string;
  readonly type?: string;
  /** Addresses whose VirtualIP names the Service; `user`: a reservation. */
  readonly claims?: readonly (readonly [address: string, by: "controller" | "user", uid?: string])[];
  /** Nothing where it is missing. */
  readonly released?: {
    readonly addresses?: readonly string[];
    readonly finalizer?: boolean;
    readonly condition?: boolean;
    /** Addresses of others that stay. */
    readonly stays?: readonly string[];
  };
}

const assigned = (text: string) => ["True", "AddressAssigned", text] as const;
const noPool = ["False", "NoPool", "Service default/web: spec 192.0.2.7 has no pool."] as const;
const ours = { finalizer: true, condition: true };

export const releaseCases: readonly ReleaseCase[] = [
  { name: "a Service that Bellhop never touched keeps all it has", shows: ["203.0.113.1"], finalizer: true },
  { name: "a Service of a cloud controller that waits for its address keeps its finalizer", finalizer: true },
  {
    name: "a served Service is released whole",
    shows: ["192.0.2.7", "2001:db8::7"],
    condition: assigned("192.0.2.7, 2001:db8::7"),
    finalizer: true,
    claims: [
      ["192.0.2.7", "controller"],
      ["2001:db8::7", "controller"],
    ],
    released: { ...ours, addresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "so it is from its condition alone, when VirtualIPs are gone",
    shows: ["192.0.2.7", "2001:db8::7"],
    condition: assigned("192.0.2.7, 2001:db8::7"),
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "the address is compared as an address",
    shows: ["2001:DB8:0::7"],
    condition: assigned("2001:db8::7"),
    finalizer: true,
    released: { ...ours, addresses: ["2001:DB8:0::7"] },
  },
  {
    name: "the remark after the addresses is not read as one",
    shows: ["192.0.2.7"],
    condition: assigned("192.0.2.7. Service default/web: 192.0.2.9 is taken."),
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7"] },
  },
  {
    name: "from its claim alone, when the condition was removed",
    shows: ["192.0.2.7"],
    finalizer: true,
    claims: [["192.0.2.7", "controller"]],
    released: { finalizer: true, addresses: ["192.0.2.7"] },
  },
  {
    name: "a refused Service loses the condition, and keeps the address and finalizer of others",
    shows: ["203.0.113.1"],
    condition: noPool,
    finalizer: true,
    released: { condition: true, stays: ["203.0.113.1"] },
  },
  {
    name: "an address that a refusal names is not ours",
    shows: ["192.0.2.7"],
    condition: noPool,
    finalizer: true,
    released: { condition: true, stays: ["192.0.2.7"] },
  },
  {
    name: "an address that a refusal says it keeps is ours",
    shows: ["192.0.2.7"],
    condition: ["False", "RequestedAddressTaken", "192.0.2.9 is taken. Until then the Service keeps 192.0.2.7."],
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7"] },
  },
  {
    name: "so it is in the words of earlier builds",
    shows: ["192.0.2.7"],
    condition: ["False", "RequestedAddressTaken", "192.0.2.9 is taken. Until then it keeps 192.0.2.7."],
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7"] },
  },
  {
    name: "without an announcer, all that it shows is ours",
    shows: ["192.0.2.7", "2001:db8::7"],
    condition: ["False", "NoAnnouncer", "Service default/web: 192.0.2.7 is not announced."],
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "of two writers, only our address goes, and the finalizer stays with the other",
    shows: ["192.0.2.7", "203.0.113.1"],
    condition: assigned("192.0.2.7"),
    finalizer: true,
    claims: [["192.0.2.7", "controller"]],
    released: { addresses: ["192.0.2.7"], condition: true, stays: ["203.0.113.1"] },
  },
  {
    name: "but goes where the API server has recorded that we added it: the other may use none",
    shows: ["192.0.2.7", "203.0.113.1"],
    condition: assigned("192.0.2.7"),
    finalizer: true,
    added: true,
    claims: [["192.0.2.7", "controller"]],
    released: { ...ours, addresses: ["192.0.2.7"], stays: ["203.0.113.1"] },
  },
  {
    name: "so it does from a Service that an earlier build refused, or that another controller serves alone",
    shows: ["203.0.113.1"],
    finalizer: true,
    added: true,
    released: { finalizer: true, stays: ["203.0.113.1"] },
  },
  {
    name: "a refused Service without an address keeps the finalizer, which is another controller's: ours goes with the address",
    condition: noPool,
    finalizer: true,
    released: { condition: true },
  },
  {
    name: "one that we assigned addresses loses it, although another client has cleared its status",
    condition: assigned("192.0.2.7"),
    finalizer: true,
    released: ours,
  },
  {
    name: "and so does one whose condition names what it keeps",
    condition: [
      "False",
      "RequestedAddressTaken",
      `${describeKept("192.0.2.7")} Service default/web: 192.0.2.9 is taken.`,
    ],
    finalizer: true,
    released: ours,
  },
  {
    name: "an address that the condition names as still assigned is ours",
    shows: ["192.0.2.7", "2001:db8::7"],
    condition: [
      "False",
      "RequestedAddressTaken",
      `${describeKept("192.0.2.7, 2001:db8::7")} Service default/web: 192.0.2.9 is taken.`,
    ],
    finalizer: true,
    released: { ...ours, addresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "one that it does not name is not",
    shows: ["192.0.2.9"],
    condition: [
      "False",
      "RequestedAddressTaken",
      `${describeKept("192.0.2.7")} Service default/web: 192.0.2.9 is taken.`,
    ],
    finalizer: true,
    released: { condition: true, stays: ["192.0.2.9"] },
  },
  {
    name: "a host name is never ours",
    shows: [""],
    condition: noPool,
    finalizer: true,
    released: { condition: true, stays: [""] },
  },
  {
    name: "a Service of our class loses the finalizer without any other mark",
    finalizer: true,
    loadBalancerClass: "bellhop.dev/bellhop",
    released: { finalizer: true },
  },
  {
    name: "one that is of type ClusterIP now, too",
    type: "ClusterIP",
    condition: assigned("192.0.2.7"),
    finalizer: true,
    released: ours,
  },
  {
    name: "a claim for a Service of the same name that was deleted proves nothing",
    shows: ["192.0.2.7"],
    finalizer: true,
    claims: [["192.0.2.7", "controller", "uid of another"]],
  },
  {
    name: "a reservation alone proves nothing about the finalizer",
    finalizer: true,
    claims: [["192.0.2.7", "user"]],
  },
  {
    name: "nor about the address: another controller may show it while the user reserves it for Bellhop",
    shows: ["192.0.2.7"],
    finalizer: true,
    claims: [["192.0.2.7", "user"]],
  },
  {
    name: "with our condition, an address that is reserved is ours",
    shows: ["192.0.2.7"],
    condition: assigned("192.0.2.7"),
    finalizer: true,
    claims: [["192.0.2.7", "user"]],
    released: { ...ours, addresses: ["192.0.2.7"] },
  },
];
