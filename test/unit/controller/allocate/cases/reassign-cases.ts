import { shortenDistinctly } from "../../../../../src/model/bounded-text.ts";
import type { AllocationCase } from "./allocation-case.ts";

const reassign = (text: string) => ({ annotations: { "bellhop.dev/reassign": text } });
const one = { name: "lan", addresses: ["192.0.2.10"] };
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const shown = { shows: ["192.0.2.10"], ours: true } as const;
const reference = { namespace: "default", name: "web" };

/** bellhop.dev/reassign, and addresses that another device had before. */
export const reassignCases: readonly AllocationCase[] = [
  {
    name: "a new text moves the Service",
    claims: [mine],
    service: { ...reassign("1"), ...shown },
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "a Service leaves an address that another device on the LAN had before",
    claims: [{ ...mine, usedBefore: true }],
    service: shown,
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "it keeps such an address that it requests",
    claims: [{ ...mine, usedBefore: true }],
    service: { ...shown, loadBalancerIP: "192.0.2.10" },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "an empty text moves nothing",
    claims: [mine],
    service: { ...reassign(""), ...shown },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "neither does white space",
    claims: [mine],
    service: { ...reassign(" \n"), ...shown },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "the text that the address was assigned for moves nothing",
    claims: [{ ...mine, services: [{ ...reference, uid: "web-uid", reassigned: "1" }] }],
    service: { ...reassign("1"), ...shown },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "a long text that differs at its end is another one",
    claims: [
      { ...mine, services: [{ ...reference, uid: "web-uid", reassigned: shortenDistinctly("1".repeat(300), 200) }] },
    ],
    service: { ...reassign(`${"1".repeat(299)}2`), ...shown },
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "a long text that the address was assigned for moves nothing, even where the cut is within a character",
    claims: [
      { ...mine, services: [{ ...reference, uid: "web-uid", reassigned: shortenDistinctly("😀".repeat(500), 200) }] },
    ],
    service: { ...reassign("😀".repeat(500)), ...shown },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "where no other address is free the Service keeps what it has",
    pools: [one],
    claims: [mine],
    service: { ...reassign("1"), ...shown },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "PoolExhausted", field: "spec.ipFamilies", value: "IPv4", names: ["lan"] },
  },
  {
    name: "an address that it requests stays",
    claims: [mine],
    service: { ...reassign("1"), ...shown, loadBalancerIP: "192.0.2.10" },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "a reservation of the user stays",
    claims: [{ address: "192.0.2.10", services: [reference], reservation: true }],
    service: { ...reassign("1"), ...shown },
    assigns: ["192.0.2.10 current"],
  },
  {
    name: "of two families the one that can moves",
    pools: [{ name: "lan", addresses: ["192.0.2.10-192.0.2.11", "2001:db8::10"] }],
    claims: [mine, { address: "2001:db8::10", pool: "lan", services: ["web"] }],
    service: { ...reassign("1"), families: ["IPv4", "IPv6"], policy: "PreferDualStack", ours: true },
    assigns: ["192.0.2.11 new from lan", "2001:db8::10 current from lan"],
    refuses: { code: "PoolExhausted", field: "spec.ipFamilies", value: "IPv6" },
  },
  {
    name: "of two addresses the one that was assigned for the text stays, though the status shows the other",
    claims: [
      mine,
      { address: "192.0.2.11", pool: "lan", services: [{ ...reference, uid: "web-uid", reassigned: "1" }] },
    ],
    service: { ...reassign("1"), ...shown },
    assigns: ["192.0.2.11 current from lan"],
  },
];
