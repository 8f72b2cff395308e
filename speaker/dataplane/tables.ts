import type { IpFamily } from "../../src/ip/address.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftRule, Statement } from "../../src/nft/statement.ts";
import type { BaseChain, NftAction, NftCommand, NftIpFamily, NftTable } from "../../src/nft/transaction.ts";
import type { Element } from "./element.ts";
import { nextHopRules, unknownConnectionRules } from "./pass-on-rules.ts";
import {
  affinityPortRules,
  affinityRules,
  type BaseRules,
  baseRules,
  innerRules,
  pickRules,
  type RuleSettings,
} from "./rules.ts";
import { affinityClients, learnedClients, sets, untakenServices } from "./sets.ts";

export const nftFamilies: Readonly<Record<IpFamily, NftIpFamily>> = { IPv4: "ip", IPv6: "ip6" };

/** Our table in each family. No other table is ever read or written. */
export function tableOf(family: NftIpFamily): NftTable {
  return { family, name: "bellhop" };
}

/** The table in which elements are tried out, without base chains; there only for moments. */
export function probeTableOf(family: NftIpFamily): NftTable {
  return { family, name: "bellhop-probe" };
}

/** The actions as commands about our table. */
export function inTable(family: NftIpFamily, actions: readonly NftAction[]): readonly NftCommand[] {
  const table = tableOf(family);
  return actions.map((action) => ({ table, ...action }));
}

/**
 * The hooks and priorities of our chains. For comparison: connection tracking -200, kube-proxy's source-range filter -110 and its nat -100
 * and 100, its refusals 0 (pkg/proxy/nftables/proxier.go). Fragments are put together at -400, before all of them. Source ranges are
 * checked where it is known whether a connection is new, and the address is still that of the Service. What another node may know is passed on
 * before: of a connection that is open there, the client may be excluded meanwhile.
 */
const baseChains = {
  before_tracking: { type: "filter", hook: "prerouting", priority: -310 },
  // For packets of the node itself. kube-proxy's nat at output is at -100, and the kernel restores addresses at input at 100.
  rewrite_output: { type: "route", hook: "output", priority: -310 },
  check_output_source_ranges: { type: "filter", hook: "output", priority: -150 },
  unrewrite_input: { type: "filter", hook: "input", priority: 105 },
  before_translation: { type: "filter", hook: "prerouting", priority: -160 },
  dnat_to_endpoints: { type: "nat", hook: "prerouting", priority: -110 },
  // IPVS takes its packets at 98 and 99 (net/netfilter/ipvs/ip_vs_core.c, NF_IP_PRI_NAT_SRC - 2 and - 1).
  drop_on_node: { type: "filter", hook: "input", priority: 110 },
  drop_unhandled: { type: "filter", hook: "forward", priority: 10 },
  masquerading: { type: "nat", hook: "postrouting", priority: 90 },
  unrewrite: { type: "filter", hook: "postrouting", priority: 310 },
} as const satisfies Record<keyof BaseRules, BaseChain>;

/** Sets, chains and rules of a fresh table, without elements. `sizes`: how many elements a set takes at most, by its name. */
export function createTable(
  family: NftIpFamily,
  settings: RuleSettings,
  sizes: ReadonlyMap<string, number> = new Map(),
): readonly NftCommand[] {
  const inner = Object.entries(innerRules(family, settings)).filter(([, rules]) => rules.length > 0);
  const base = baseRules(family, settings);
  const present = Object.entries(baseChains).filter(([chain]) => base[chain as keyof BaseRules].length > 0);
  const chains = inTable(family, [
    ...inner.map(([chain]): NftAction => ({ kind: "addChain", chain })),
    ...present.map(([chain, hook]): NftAction => ({ kind: "addChain", chain, base: hook })),
    ...[...inner, ...Object.entries(base)].flatMap(([chain, rules]) =>
      rules.map((rule): NftAction => ({ kind: "addRule", chain, rule })),
    ),
  ]);
  return [...createSets(tableOf(family), family, sizes), ...chains];
}

/** A table with our sets, and nothing else. Those of clients with session affinity are not there: `createTargetChain` makes them. */
export function createSets(
  table: NftTable,
  family: NftIpFamily,
  sizes: ReadonlyMap<string, number> = new Map(),
): readonly NftCommand[] {
  const all: readonly NftSet[] = [...Object.values(sets[family]), untakenServices[family]];
  const sized = all.map((set): NftSet => {
    const size = sizes.get(set.name) ?? set.size;
    return size === undefined ? set : { ...set, size };
  });
  return [{ table, kind: "addTable" }, ...sized.map((set): NftCommand => ({ table, kind: "addSet", set }))];
}

/** Removes our table, whether it is there or not. */
export function removeTable(family: NftIpFamily): readonly NftCommand[] {
  return removeTableOf(tableOf(family));
}

/** Removes a table, whether it is there or not. */
export function removeTableOf(table: NftTable): readonly NftCommand[] {
  return [
    { table, kind: "addTable" },
    { table, kind: "deleteTable" },
  ];
}

/** A chain that elements lead to: it exists once, however many do. */
export interface TargetChain {
  readonly name: string;
  readonly rules: readonly NftRule[];
}

/** The rules of the chain that an element leads to; none where it leads to none. */
export function targetRulesOf(element: Element): readonly NftRule[] {
  switch (element.set) {
    case "dnat_services":
      return pickRules(element.family, element.value);
    case "affinity_addresses":
      return affinityPortRules(element.family);
    case "affinity_services":
      return affinityRules(element.family, element.value);
    case "unknown_flows":
    case "passed_flows":
    case "returned_flows":
      return element.value === "no node"
        ? unknownConnectionRules(element.family)
        : nextHopRules(element.family, element.value);
    default:
      return [];
  }
}

/**
 * Makes such a chain, and the sets of clients that its rules fill or read, which another chain may have made before: the kernel takes memory for the
 * hash table of a set with a size at once (net/netfilter/nft_set_hash.c, nft_rhash_init), which is 1 MiB for each of these.
 */
export function createTargetChain(family: NftIpFamily, { name, rules }: TargetChain): readonly NftCommand[] {
  const added = rules.map((rule): NftAction => ({ kind: "addRule", chain: name, rule }));
  const clientSets = [affinityClients[family], learnedClients[family]].filter((set) =>
    rules.some((rule) => rule.some((statement) => concerns(statement, set))),
  );
  const declared = clientSets.map((set): NftAction => ({ kind: "addSet", set }));
  return inTable(family, [...declared, { kind: "addChain", chain: name }, ...added]);
}

/** Whether a statement fills the set, or translates by it. */
function concerns(statement: Statement, set: NftSet): boolean {
  if (statement.kind === "dnat") return statement.to.kind === "map" && statement.to.map === set;
  return (statement.kind === "update" || statement.kind === "delete") && statement.set === set;
}
