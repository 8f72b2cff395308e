import { createInterface } from "node:readline";
import {
  netfilterFamilies,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../../src/netlink/netfilter.ts";
import { LinuxNetlinkSocket } from "../../src/netlink-socket/linux-netlink-socket.ts";
import { NetlinkRequests } from "../../src/netlink-socket/requests.ts";
import type { NftFamily } from "../../src/nft/transaction.ts";
import { runBatch } from "../../src/nft-netlink/run-batch.ts";
import { readTable } from "./kernel-table.ts";

/** A line of the standard input, in JSON: a batch to run, or a table to read. The answer is a line of JSON. */
export type NftablesRequest =
  | { readonly batch: string; readonly commandCount: number }
  | { readonly family: NftFamily; readonly table: string };

const socket = new LinuxNetlinkSocket("netfilter");
const requests = new NetlinkRequests(socket);

function answer(request: NftablesRequest): unknown {
  if ("batch" in request) return runBatch(socket, Buffer.from(request.batch, "base64"), request.commandCount);
  const family = netfilterFamilies[request.family];
  return readTable((message, fill) => {
    const type = netfilterType(netfilterSubsystems.nftables, message);
    return requests.list(
      type,
      (writer) => {
        writeNetfilterHeader(writer, family);
        fill(writer);
      },
      ({ payload }) => Uint8Array.from(payload),
    );
  }, request.table);
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(answer(JSON.parse(line))));
