import { Attributes } from "../netlink/attributes.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";
import { netfilterHeaderLength, netfilterSubsystems, netfilterType } from "../netlink/netfilter.ts";
import type { TableName } from "./table-contents.ts";

/** NFT_MSG_NEWGEN (linux/netfilter/nf_tables.h): something was committed, in whichever table. */
export const newGenerationType = netfilterType(netfilterSubsystems.nftables, 15);

/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE and NFTA_SET_ELEM_LIST_TABLE. */
const tableAttribute = 1;

/** The table in which something was added or deleted; undefined for other messages. Throws BellhopError NetlinkMalformed. */
export function readTouchedTable({ type, payload }: NetlinkMessage): TableName | undefined {
  if (type >> 8 !== netfilterSubsystems.nftables || type === newGenerationType) return undefined;
  if (payload.length < netfilterHeaderLength) return undefined;
  const name = new Attributes(payload, netfilterHeaderLength).text(tableAttribute);
  return name === undefined ? undefined : { family: payload[0] ?? 0, name };
}
