import { Attributes } from "../netlink/attributes.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";
import {
  netfilterFamilies,
  netfilterHeaderLength,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../netlink/netfilter.ts";
import type { Dump, NetlinkRequests } from "../netlink-socket/requests.ts";

/** A chain, of any program, that sees each packet that the node forwards and drops what none of its rules accepts. Plain data. */
export interface DroppingChain {
  readonly family: "ip" | "ip6" | "inet";
  readonly table: string;
  readonly chain: string;
}

/** NFT_MSG_GETCHAIN and NFT_MSG_NEWCHAIN (linux/netfilter/nf_tables.h). */
const getChain = 4;
const newChain = 3;
/** NFTA_CHAIN_* and NFTA_HOOK_HOOKNUM. */
const attributes = { table: 1, name: 3, hook: 4, policy: 5 } as const;
const hookNumber = 1;
/** NF_INET_FORWARD and NF_DROP (linux/netfilter.h). */
const forwardHook = 2;
const drop = 0;

const families: Readonly<Record<number, DroppingChain["family"]>> = {
  [netfilterFamilies.ip]: "ip",
  [netfilterFamilies.ip6]: "ip6",
  [netfilterFamilies.inet]: "inet",
};

/** A dump that is interrupted by changes this often is taken as it is: the next reading will be complete. */
const dumpAttempts = 3;

/**
 * Reads the chains at the forward hook whose policy is drop, also those that iptables-nft wrote; those of iptables-legacy are not in nf_tables.
 * In steps, because there may be many chains. Whether a rule accepts a packet before is not known. Throws BellhopError.
 */
export function* readDroppingChains(kernel: NetlinkRequests): Generator<void, readonly DroppingChain[]> {
  for (let attempt = 1; ; attempt++) {
    const found: DroppingChain[] = [];
    const dump: Dump = kernel.dump(
      netfilterType(netfilterSubsystems.nftables, getChain),
      (writer) => writeNetfilterHeader(writer, netfilterFamilies.unspecified),
      (message) => {
        const chain = readDroppingChain(message);
        if (chain !== undefined) found.push(chain);
      },
    );
    while (!dump.step()) yield;
    if (!dump.interrupted || attempt === dumpAttempts) return found;
  }
}

/** Undefined for other chains and messages about something else. */
export function readDroppingChain({ type, payload }: NetlinkMessage): DroppingChain | undefined {
  if (type !== netfilterType(netfilterSubsystems.nftables, newChain) || payload.length < netfilterHeaderLength)
    return undefined;
  const family = families[payload[0] ?? 0];
  const found = new Attributes(payload, netfilterHeaderLength);
  if (family === undefined || found.u32Be(attributes.policy) !== drop) return undefined;
  if (found.nested(attributes.hook)?.u32Be(hookNumber) !== forwardHook) return undefined;
  const [table, chain] = [found.text(attributes.table), found.text(attributes.name)];
  return table === undefined || chain === undefined ? undefined : { family, table, chain };
}
