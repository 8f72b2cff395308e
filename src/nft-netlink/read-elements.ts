import { Attributes } from "../netlink/attributes.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import {
  netfilterHeaderLength,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../netlink/netfilter.ts";
import type { NetlinkRequests } from "../netlink-socket/requests.ts";
import { lengthOf } from "../nft/data-type.ts";
import type { NftElement, NftSet } from "../nft/set.ts";
import type { TableName } from "./table-contents.ts";

/** Requests of nf_tables (enum nf_tables_msg_types), and the attributes of requests and answers. */
const requests = { set: 10, elements: 13 } as const;
const listAttributes = { table: 1, set: 2, elements: 3 } as const;
/** NFTA_SET_ELEM_*, NFTA_DATA_VALUE. Times are milliseconds. */
const elementAttributes = { key: 1, data: 2, expiration: 5, value: 1 } as const;

function nftType(message: number): number {
  return netfilterType(netfilterSubsystems.nftables, message);
}

/** See NftReader. Not for maps of verdicts. Throws BellhopError. */
export function readElements(kernel: NetlinkRequests, table: TableName, set: NftSet): readonly NftElement[] {
  const fill = (writer: MessageWriter) => {
    writeNetfilterHeader(writer, table.family);
    writer.text(listAttributes.table, table.name);
    writer.text(listAttributes.set, set.name);
  };
  if (kernel.get(nftType(requests.set), fill) === undefined) return [];
  const dataLength = set.data === undefined || set.data === "verdict" ? undefined : lengthOf(set.data);
  const read = (element: Attributes): readonly NftElement[] => {
    const key = element.nested(elementAttributes.key)?.bytes(elementAttributes.value);
    const data = element.nested(elementAttributes.data)?.bytes(elementAttributes.value);
    if (key?.length !== lengthOf(set.key) || data?.length !== dataLength) return [];
    const timeoutMs = Number(element.u64Be(elementAttributes.expiration) ?? 0n);
    return [
      {
        key: text(key),
        ...(data === undefined ? {} : { data: text(data) }),
        ...(timeoutMs === 0 ? {} : { timeoutMs }),
      },
    ];
  };
  return kernel
    .list(nftType(requests.elements), fill, ({ payload }) => {
      const list = new Attributes(payload, netfilterHeaderLength).nested(listAttributes.elements);
      return list && [...list].flatMap(({ nested }) => read(nested()));
    })
    .flat();
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
