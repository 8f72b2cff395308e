import { maxSharedPorts, maxSharers, maxSharingKeyLength } from "../../../../../src/api/virtual-ip.ts";
import type { AllocationCase } from "./allocation-case.ts";

const field = "metadata.annotations[bellhop.dev/share]";
const share = (key: string) => ({ annotations: { "bellhop.dev/share": key } });
const ports = (count: number) => Array.from({ length: count }, (_, index) => `${1_000 + index}/TCP`);
const edge = { name: "edge", spec: { nodeAddresses: { allowedPorts: ports(200) } } };
const nodes = [{ name: "n1", addresses: ["203.0.113.1"] }];

/** A Service with the key `front` and a port of its own. */
const sharers = (count: number, key = "front", backends = "Cluster") =>
  Array.from({ length: count }, (_, index) => ({
    namespace: "default",
    name: `s${index}`,
    uid: `s${index}-uid`,
    sharing: { key, ports: [`${2_000 + index}/TCP`], backends },
  }));

/** What one Service can add to a VirtualIP, and how many Services there can be in it. */
export const sharingLimitCases: readonly AllocationCase[] = [
  {
    name: "the longest key",
    service: share("k".repeat(maxSharingKeyLength)),
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a longer key",
    service: share("k".repeat(maxSharingKeyLength + 1)),
    assigns: [],
    refuses: { code: "SharingKeyTooLong", field, value: `${"k".repeat(199)}…` },
  },
  {
    name: "a key of 256 KiB",
    service: share("<".repeat(262_000)),
    assigns: [],
    refuses: { code: "SharingKeyTooLong", field, value: `${"<".repeat(199)}…` },
  },
  {
    name: "a longer key takes no address away",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: share("k".repeat(1_000)),
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "SharingKeyTooLong", field, value: `${"k".repeat(199)}…` },
  },
  {
    name: "too many ports",
    service: { ...share("front"), ports: ports(maxSharedPorts + 1) },
    assigns: [],
    refuses: { code: "SharingTooManyPorts", field: "spec.ports", value: "101" },
  },
  {
    name: "as many ports without a key",
    service: { ports: ports(maxSharedPorts + 1) },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "too many ports on node addresses",
    pools: [edge],
    nodes,
    service: { ports: ports(maxSharedPorts + 1) },
    assigns: [],
    refuses: { code: "SharingTooManyPorts", field: "spec.ports", value: "101" },
  },
  {
    name: "one more Service fits",
    claims: [{ address: "192.0.2.10", pool: "lan", services: sharers(maxSharers - 1) }],
    service: share("front"),
    assigns: ["192.0.2.10 joins from lan"],
  },
  {
    name: "an address that is full is not joined",
    claims: [{ address: "192.0.2.10", pool: "lan", services: sharers(maxSharers) }],
    service: share("front"),
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "an address that is full is requested",
    claims: [{ address: "192.0.2.10", pool: "lan", services: sharers(maxSharers) }],
    service: { ...share("front"), loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingFull", field: "spec.loadBalancerIP", value: "192.0.2.10", names: ["100"] },
  },
  {
    name: "a node address that is full",
    pools: [edge],
    nodes,
    claims: [{ address: "203.0.113.1", node: "n1", pool: "edge", services: sharers(maxSharers, "", "") }],
    service: { ports: ["1000/TCP"] },
    assigns: [],
    refuses: { code: "SharingFull", field: "spec.ports", value: "1000/TCP", names: ["203.0.113.1"] },
  },
];
