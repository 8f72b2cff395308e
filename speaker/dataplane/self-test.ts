import { BellhopError } from "../../src/error/error.ts";
import { type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import type { Nft } from "../../src/nft/nft.ts";
import type { NftCommand, NftIpFamily, NftTable } from "../../src/nft/transaction.ts";
import { chainOf } from "../../src/nft/verdict.ts";
import { affinityChainName, nextHopChainName, pickChainName } from "./element.ts";
import { nextHopRules, unknownConnectionRules } from "./pass-on-rules.ts";
import { affinityPortRules, affinityRules, type BaseRules, type InnerRules, pickRules } from "./rules.ts";
import { createTable, createTargetChain, nftFamilies, removeTableOf, type TargetChain } from "./tables.ts";

/** A chain with needs of its own. The others only look addresses up and lead to these. */
export type TestedChain = Exclude<
  keyof BaseRules | keyof InnerRules,
  "before_tracking" | "before_translation" | "unknown_packet"
>;

/** A feature of the kernel that our rules need and that it does not have. */
export interface MissingFeature {
  readonly family: IpFamily;
  /** The chain that needs it. Missing: all of them. */
  readonly chain?: TestedChain;
  /** What is missing and where it is found, for people. */
  readonly feature: string;
  /** What the kernel answered. */
  readonly reason: string;
}

/** What each chain needs beyond nftables itself. Versions are those of Linux; modules are those of its nf_tables. */
const needs: Readonly<Record<TestedChain, string>> = {
  check_source_ranges: "ranges in concatenated keys (Linux 5.6), connection tracking in rules (module nft_ct)",
  reject_no_endpoints: "reject at prerouting (Linux 5.9, module nft_reject)",
  rewrite_to_node_port:
    "writing addresses and ports of packets (Linux 4.10), zones of connection tracking (NF_CONNTRACK_ZONES)",
  rewrite_output: "routing and refusing packets of the node itself (chains of type route, module nft_reject)",
  check_output_source_ranges: "ranges in concatenated keys (Linux 5.6), connection tracking in rules (module nft_ct)",
  unrewrite_input: "writing addresses and ports of packets (Linux 4.10)",
  pass_on: "passing packets on to other nodes (Linux 4.10, modules nft_dup_ipv4 and nft_dup_ipv6)",
  dnat_to_endpoints: "destination NAT to endpoints in a map (modules nft_chain_nat, nft_hash and nft_reject)",
  remember_affinity: "elements that packets add to maps and delete (Linux 5.4)",
  drop_on_node: "filter chains (module nf_tables)",
  drop_unhandled: "filter chains (module nf_tables)",
  masquerading: "masquerading (modules nft_chain_nat and nft_masq)",
  unrewrite: "writing addresses and ports of packets (Linux 4.10)",
};

const chainNames = Object.keys(needs) as readonly TestedChain[];

const loopback = { ip: { family: "IPv4", value: 0x7f00_0001n }, ip6: { family: "IPv6", value: 1n } } as const;

/** Any settings with which every rule is there: no packet ever matches one, because the sets are empty. */
const settings = {
  IPv4: { nodeAddress: "192.0.2.1", servesInCluster: true },
  IPv6: { nodeAddress: "2001:db8::1", servesInCluster: true },
} as const;

/**
 * Writes our rules with empty sets into a table of another name, and deletes it again. Returns what the kernel does not have, family by family;
 * empty: everything is there. Throws BellhopError where the kernel thread has ended.
 */
export async function findMissingFeatures(nft: Nft): Promise<readonly MissingFeature[]> {
  const missing: MissingFeature[] = [];
  for (const family of ipFamilies) {
    if ((await refusal(nft, family)) === undefined) continue;
    // Which part it was: one chain at a time, with all sets.
    const before = missing.length;
    for (const chain of chainNames) {
      const reason = await refusal(nft, family, chain);
      if (reason !== undefined) missing.push({ family, chain, feature: needs[chain], reason });
    }
    if (missing.length > before) continue;
    const reason = await refusal(nft, family);
    if (reason !== undefined) missing.push({ family, feature: "nftables", reason });
  }
  return missing;
}

function selfTestTable(family: NftIpFamily): NftTable {
  return { family, name: "bellhop-self-test" };
}

/** Removes the table of the self-test, whether it is there or not: a speaker that is killed during the test leaves it. */
export function removeSelfTest(family: NftIpFamily): readonly NftCommand[] {
  return removeTableOf(selfTestTable(family));
}

/** Why the kernel refuses the rules of the chain, or of all chains; undefined if it accepts them. */
async function refusal(nft: Nft, family: IpFamily, chain?: TestedChain): Promise<string | undefined> {
  const table = selfTestTable(nftFamilies[family]);
  const remove = removeSelfTest(nftFamilies[family]);
  try {
    await nft.run({ commands: [...remove, ...ourCommands(family, chain).map((command) => ({ ...command, table }))] });
    await nft.run({ commands: remove });
    return undefined;
  } catch (error) {
    if (!(error instanceof BellhopError) || error.code !== "NftFailed") throw error;
    return error.message;
  }
}

function ourCommands(family: IpFamily, chain: TestedChain | undefined): readonly NftCommand[] {
  const ip = nftFamilies[family];
  const targets = (chain === undefined ? chainNames : [chain]).flatMap((base) =>
    targetChainsBehind(ip, base).flatMap((target) => createTargetChain(ip, target)),
  );
  const whole = createTable(ip, settings[family]);
  return [...(chain === undefined ? whole : partOf(whole, chain)), ...targets];
}

/** The commands that concern the chain: its rules, and those that lead to it, since the kernel checks a rule by the hooks from which it is reached. */
function partOf(whole: readonly NftCommand[], chain: TestedChain): readonly NftCommand[] {
  const leadsTo = (command: NftCommand): command is NftCommand & { readonly kind: "addRule" } =>
    command.kind === "addRule" &&
    command.rule.some((statement) => statement.kind === "verdict" && chainOf(statement.verdict) === chain);
  const own = new Set<string>([chain, ...(chain === "pass_on" ? ["unknown_packet"] : [])]);
  const before = new Set(whole.filter(leadsTo).map((command) => command.chain));
  return whole.filter((command) => {
    // A chain without a hook needs nothing.
    if (command.kind === "addChain")
      return command.base === undefined || own.has(command.chain) || before.has(command.chain);
    return command.kind !== "addRule" || own.has(command.chain) || leadsTo(command);
  });
}

/** One of each kind of the chains that elements lead to from the base chain. */
function targetChainsBehind(family: NftIpFamily, chain: TestedChain): readonly TargetChain[] {
  if (chain === "pass_on") {
    const nextHop = { address: loopback[family], device: { name: "lo", index: 1 } };
    return [
      { name: "unknown_connection", rules: unknownConnectionRules(family) },
      { name: nextHopChainName(nextHop), rules: nextHopRules(family, nextHop) },
    ];
  }
  if (chain === "remember_affinity")
    return [
      { name: "affinity_ports", rules: affinityPortRules(family) },
      ...(["us", "kube-proxy"] as const).map((chosenBy) => {
        const port = { timeoutSeconds: 1, chosenBy };
        return { name: affinityChainName(port), rules: affinityRules(family, port) };
      }),
    ];
  if (chain !== "dnat_to_endpoints") return [];
  return (["flow", "client"] as const).map((by) => {
    const pick = { by, count: 2, seed: 1 };
    return { name: pickChainName(pick), rules: pickRules(family, pick) };
  });
}
