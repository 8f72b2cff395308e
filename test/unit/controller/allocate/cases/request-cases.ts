import type { AllocationCase } from "./allocation-case.ts";

const ips = (text: string) => ({ annotations: { "bellhop.dev/ips": text } });
const both = ["IPv4", "IPv6"] as const;
const dual = { families: both, policy: "RequireDualStack" } as const;
const dualPool = { name: "lan", addresses: ["192.0.2.10-192.0.2.12", "2001:db8::10-2001:db8::12"] };
const field = "spec.loadBalancerIP";
const annotation = "metadata.annotations[bellhop.dev/ips]";

/** Texts in spec.loadBalancerIP and bellhop.dev/ips that are not one address per family. */
const texts: readonly AllocationCase[] = [
  ["a word", "not-an-ip"],
  ["a leading zero", "192.0.2.010"],
  ["a prefix length", "192.0.2.10/32"],
  ["a range", "192.0.2.10-192.0.2.11"],
  ["a zone", "fe80::1%eth0"],
  ["an IPv4-mapped IPv6 address", "::ffff:192.0.2.10"],
  ["two addresses", "192.0.2.10,192.0.2.11"],
].map(([words, value = ""]) => ({
  name: `${words} in spec.loadBalancerIP is refused`,
  service: { loadBalancerIP: value },
  assigns: [],
  refuses: { code: "RequestedAddressInvalid", field, value },
}));

/** White space in spec.loadBalancerIP, which YAML block texts leave. */
const blanks: readonly AllocationCase[] = [
  ...[" ", "\n"].map(
    (loadBalancerIP): AllocationCase => ({
      name: `${JSON.stringify(loadBalancerIP)} in spec.loadBalancerIP requests nothing`,
      service: { loadBalancerIP },
      assigns: ["192.0.2.10 new from lan"],
    }),
  ),
  {
    name: "white space around spec.loadBalancerIP does not count",
    service: { loadBalancerIP: " 192.0.2.11\n" },
    assigns: ["192.0.2.11 new from lan"],
  },
];

/** Texts in bellhop.dev/ips that request nothing. */
const emptyTexts: readonly AllocationCase[] = ["", " ", "\n", ",", " , \n"].map((text) => ({
  name: `${JSON.stringify(text)} in bellhop.dev/ips requests nothing`,
  service: ips(text),
  assigns: ["192.0.2.10 new from lan"],
}));

/** Texts in bellhop.dev/ips that are one address, with what templates leave around it. */
const oneAddress: readonly AllocationCase[] = [
  "192.0.2.12,",
  ",192.0.2.12",
  "192.0.2.12\n",
  "192.0.2.12,\n",
  "\t192.0.2.12",
].map((text) => ({
  name: `${JSON.stringify(text)} in bellhop.dev/ips requests one address`,
  service: ips(text),
  assigns: ["192.0.2.12 new from lan"],
}));

export const requestCases: readonly AllocationCase[] = [
  ...blanks,
  ...emptyTexts,
  ...oneAddress,
  ...texts,
  {
    name: "an empty spec.loadBalancerIP requests nothing",
    service: { loadBalancerIP: "" },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "an empty bellhop.dev/pool names no pool",
    service: { annotations: { "bellhop.dev/pool": "" } },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a line break after the name of a pool does not count",
    service: { annotations: { "bellhop.dev/pool": "lan\n" } },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "an empty bellhop.dev/share shares nothing",
    service: { annotations: { "bellhop.dev/share": " " } },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "quotation marks in bellhop.dev/ips are refused, and named",
    service: ips('"192.0.2.12"\n'),
    assigns: [],
    refuses: {
      code: "RequestedAddressInvalid",
      field: annotation,
      value: '"192.0.2.12"',
      names: ["quotation marks"],
    },
  },
  ...["192.0.2.12 192.0.2.13", "192.0.2.12; 2001:db8::7", "192.0.2.12|192.0.2.13"].map((text) => ({
    name: `addresses that are not separated by commas are refused, and the cure says how: ${text}`,
    service: ips(text),
    assigns: [],
    refuses: {
      code: "RequestedAddressInvalid" as const,
      field: annotation,
      value: text,
      names: ["several addresses. Separate them by commas"],
    },
  })),
  {
    name: "the part of bellhop.dev/ips that is not an address is the value",
    service: ips("192.0.2.10, none"),
    assigns: [],
    refuses: { code: "RequestedAddressInvalid", field: annotation, value: "none" },
  },
  {
    name: "spec.loadBalancerIP is assigned",
    service: { loadBalancerIP: "192.0.2.12" },
    assigns: ["192.0.2.12 new from lan"],
  },
  { name: "bellhop.dev/ips is assigned", service: ips("192.0.2.12"), assigns: ["192.0.2.12 new from lan"] },
  {
    name: "blanks around an address in bellhop.dev/ips do not count",
    service: ips("  192.0.2.12  "),
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "one address per family, in the order of spec.ipFamilies",
    pools: [dualPool],
    service: { ...dual, ...ips("2001:db8::12,192.0.2.12") },
    assigns: ["192.0.2.12 new from lan", "2001:db8::12 new from lan"],
  },
  {
    name: "field and annotation may each request one family",
    pools: [dualPool],
    service: { ...dual, loadBalancerIP: "192.0.2.12", ...ips("2001:db8::12") },
    assigns: ["192.0.2.12 new from lan", "2001:db8::12 new from lan"],
  },
  {
    name: "one family may be requested, and the other comes from a pool",
    pools: [dualPool],
    service: { ...dual, loadBalancerIP: "2001:db8::12" },
    assigns: ["192.0.2.10 new from lan", "2001:db8::12 new from lan"],
  },
  {
    name: "the same address in field and annotation is one request",
    service: { loadBalancerIP: "192.0.2.12", ...ips("192.0.2.12, 192.0.2.12") },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "the same IPv6 address in two spellings is one request",
    pools: [dualPool],
    service: { families: ["IPv6"], loadBalancerIP: "2001:DB8:0::12", ...ips("2001:db8::12") },
    assigns: ["2001:db8::12 new from lan"],
  },
  {
    name: "two addresses of one family are ambiguous",
    service: ips("192.0.2.10,192.0.2.11"),
    assigns: [],
    refuses: {
      code: "RequestedAddressesAmbiguous",
      field: annotation,
      value: "192.0.2.11",
      names: ["192.0.2.10"],
    },
  },
  {
    name: "field and annotation that differ are ambiguous",
    service: { loadBalancerIP: "192.0.2.10", ...ips("192.0.2.11") },
    assigns: [],
    refuses: { code: "RequestedAddressesAmbiguous", field: annotation, value: "192.0.2.11", names: ["192.0.2.10"] },
  },
  {
    name: "an address of a family that the Service does not have is refused",
    pools: [dualPool],
    service: { loadBalancerIP: "2001:db8::10" },
    assigns: [],
    refuses: { code: "RequestedAddressWrongFamily", field, value: "2001:db8::10", names: ["IPv6", "IPv4"] },
  },
  {
    name: "so is one of two in the annotation",
    pools: [dualPool],
    service: ips("192.0.2.10,2001:db8::10"),
    assigns: [],
    refuses: { code: "RequestedAddressWrongFamily", field: annotation, value: "2001:db8::10" },
  },
  {
    name: "an address in no pool is refused, and the pools are named",
    service: { loadBalancerIP: "198.51.100.1" },
    assigns: [],
    refuses: {
      code: "RequestedAddressNotInPool",
      field,
      value: "198.51.100.1",
      names: ["192.0.2.10-192.0.2.12 (lan)"],
    },
  },
  {
    name: "an address without any pool is refused",
    pools: [],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field, value: "192.0.2.10" },
  },
  {
    name: "an address that its pool excludes is refused with the name of the pool",
    pools: [{ name: "lan", addresses: ["192.0.2.10-192.0.2.12"], spec: { exclude: ["192.0.2.11"] } }],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field, value: "192.0.2.11", names: ["lan"] },
  },
  {
    name: "an address of a rejected pool is not in a usable pool",
    pools: [{ name: "lan", addresses: ["192.0.2.1/24"] }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field, value: "192.0.2.10" },
  },
  {
    name: "the address of another Service is refused with its name",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["first"] }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", field, value: "192.0.2.10", names: ["default/first"] },
  },
  {
    name: "an address that a Node has is refused with its name",
    blocked: { "the address of Node n1": ["192.0.2.10"] },
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", field, value: "192.0.2.10", names: ["Node n1"] },
  },
  {
    name: "an address of a pool with autoAssign false may be requested",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false } }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one that avoidBuggyIPs leaves out is refused, as by MetalLB",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    service: { loadBalancerIP: "192.0.2.255" },
    assigns: [],
    refuses: { code: "RequestedAddressAvoided", field, value: "192.0.2.255", names: ["pool lan", "avoidBuggyIPs"] },
  },
  {
    name: "so is one that ends in .0",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    service: ips("192.0.2.0"),
    assigns: [],
    refuses: { code: "RequestedAddressAvoided", field: annotation, value: "192.0.2.0" },
  },
  {
    name: "an IPv6 address that ends in 255 is not one of them",
    pools: [{ name: "lan", addresses: ["2001:db8::/64"], spec: { avoidBuggyIPs: true } }],
    service: { families: ["IPv6"], loadBalancerIP: "2001:db8::ff" },
    assigns: ["2001:db8::ff new from lan"],
  },
  {
    name: "one that the Service has stays when the pool begins to avoid it",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    claims: [{ address: "192.0.2.255", pool: "lan", services: ["web"] }],
    service: { loadBalancerIP: "192.0.2.255", shows: ["192.0.2.255"], ours: true },
    assigns: ["192.0.2.255 current from lan"],
  },
  {
    name: "one that it shows from another load balancer stays as well",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    service: { loadBalancerIP: "192.0.2.255", shows: ["192.0.2.255"] },
    assigns: ["192.0.2.255 new from lan"],
  },
  {
    name: "a shared one is not joined",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { avoidBuggyIPs: true } }],
    claims: [
      {
        address: "192.0.2.0",
        pool: "lan",
        services: [
          {
            namespace: "default",
            name: "dns",
            uid: "dns-uid",
            sharing: { key: "k", ports: ["53/UDP"], backends: "Cluster" },
          },
        ],
      },
    ],
    service: { annotations: { "bellhop.dev/share": "k" } },
    assigns: ["192.0.2.1 new from lan"],
  },
  {
    name: "the requested address that the Service has stays, and the refusal says that the pool that it names is another",
    pools: [
      { name: "lan", addresses: ["192.0.2.10"] },
      { name: "web", addresses: ["192.0.2.20"] },
    ],
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: {
      loadBalancerIP: "192.0.2.10",
      annotations: { "bellhop.dev/pool": "web" },
      shows: ["192.0.2.10"],
      ours: true,
    },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "RequestedAddressNotInNamedPool", field, value: "192.0.2.10", names: ["pool lan", "pool web"] },
  },
  {
    name: "a pool that does not admit the Service refuses its addresses too",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { serviceAllocation: { namespaces: ["shop"] } } }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "PoolForbidsService", field, value: "192.0.2.10", names: ["lan", "shop"] },
  },
  {
    name: "a draining pool refuses its addresses",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { state: "Draining" } }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "PoolDraining", field, value: "192.0.2.10", names: ["lan"] },
  },
  {
    name: "address and pool may both be requested",
    service: { loadBalancerIP: "192.0.2.12", annotations: { "bellhop.dev/pool": "lan" } },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "an address of another pool than the named one is refused",
    pools: [
      { name: "lan", addresses: ["192.0.2.10"] },
      { name: "web", addresses: ["192.0.2.20"] },
    ],
    service: { loadBalancerIP: "192.0.2.10", annotations: { "bellhop.dev/pool": "web" } },
    assigns: [],
    refuses: { code: "RequestedAddressNotInNamedPool", field, value: "192.0.2.10", names: ["lan", "web"] },
  },
  {
    name: "a request moves a Service from the address that it has",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { loadBalancerIP: "192.0.2.12", shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "the requested address that the Service has stays, though its pool drains and forbids it",
    pools: [
      {
        name: "lan",
        addresses: ["192.0.2.10"],
        spec: { state: "Draining", serviceAllocation: { namespaces: ["shop"] } },
      },
    ],
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { loadBalancerIP: "192.0.2.10", shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "of two requested families one that is refused refuses both",
    pools: [dualPool],
    service: { ...dual, ...ips("192.0.2.10,2001:db8::99") },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field: annotation, value: "2001:db8::99" },
  },
];
