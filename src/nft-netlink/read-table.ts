import { Attributes } from "../netlink/attributes.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import {
  netfilterHeaderLength,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../netlink/netfilter.ts";
import type { NetlinkRequests } from "../netlink-socket/requests.ts";
import type { TableContents, TableName } from "./table-contents.ts";

/** Requests of nf_tables (enum nf_tables_msg_types), and the attributes of their answers that are read. */
const requests = { table: 1, rules: 7, sets: 10 } as const;
const tableAttributes = { name: 1, use: 3, handle: 4 } as const;
const ruleAttributes = { table: 1, chain: 2 } as const;
/** `count` is reported by kernels after 6.12. */
const setAttributes = { table: 1, name: 2, count: 20 } as const;

function nftType(message: number): number {
  return netfilterType(netfilterSubsystems.nftables, message);
}

/** The kernel's number of the table; undefined if there is no such table. Throws BellhopError. */
export function readTableHandle(kernel: NetlinkRequests, { family, name }: TableName): bigint | undefined {
  const table = kernel.get(nftType(requests.table), (writer) => {
    writeNetfilterHeader(writer, family);
    writer.text(tableAttributes.name, name);
  });
  return table && new Attributes(table, netfilterHeaderLength).u64Be(tableAttributes.handle);
}

/** How much is in the table; undefined if there is no such table. Throws BellhopError. */
export function readTable(kernel: NetlinkRequests, { family, name }: TableName): TableContents | undefined {
  const fill = (writer: MessageWriter) => {
    writeNetfilterHeader(writer, family);
    // The name of the table is attribute 1 of requests for tables, rules and sets alike.
    writer.text(tableAttributes.name, name);
  };
  const table = kernel.get(nftType(requests.table), fill);
  if (table === undefined) return undefined;
  const rules = new Map<string, number>();
  const chains = kernel.list(nftType(requests.rules), fill, ({ payload }) => {
    const rule = new Attributes(payload, netfilterHeaderLength);
    return rule.text(ruleAttributes.table) === name ? rule.text(ruleAttributes.chain) : undefined;
  });
  for (const chain of chains) rules.set(chain, (rules.get(chain) ?? 0) + 1);
  const elements = kernel.list(nftType(requests.sets), fill, ({ payload }) => {
    const set = new Attributes(payload, netfilterHeaderLength);
    const [setName, count] = [set.text(setAttributes.name), set.u32Be(setAttributes.count)];
    if (setName === undefined || count === undefined || set.text(setAttributes.table) !== name) return undefined;
    return [setName, count] as const;
  });
  const found = new Attributes(table, netfilterHeaderLength);
  const [objects, handle] = [found.u32Be(tableAttributes.use) ?? 0, found.u64Be(tableAttributes.handle)];
  return { handle, objects, rules, elements: new Map(elements) };
}
