import { createInterface } from "node:readline";
import { readAnswer } from "../../src/netlink/answer.ts";
import { DumpReader } from "../../src/netlink/dump-reader.ts";
import { errnoName } from "../../src/netlink/errno.ts";
import { messageFlags } from "../../src/netlink/layout.ts";
import { MessageWriter } from "../../src/netlink/message-writer.ts";
import { readMessages } from "../../src/netlink/messages.ts";
import {
  netfilterFamilies,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../../src/netlink/netfilter.ts";
import { LinuxNetlinkSocket } from "../../src/netlink-socket/linux-netlink-socket.ts";
import { readTable } from "./kernel-table.ts";

/** Speaks nf_tables in its namespace: for each line, a batch to run or a table to dump, answers with a line of JSON. */
const socket = new LinuxNetlinkSocket("netfilter", { receiveBufferBytes: 8 * 1024 * 1024 });

function runBatch(bytes: Uint8Array): readonly string[] {
  socket.reserve(bytes.length + 4096);
  const errno = socket.send(bytes);
  if (errno !== 0) return [errnoName(errno)];
  const faults: string[] = [];
  let acknowledged = false;
  for (;;) {
    const datagram = socket.receive();
    if (datagram === "none") break;
    if (datagram === "lost") return ["answers were lost"];
    for (const message of readMessages(datagram)) {
      const answer = readAnswer(message);
      if (answer === undefined) continue;
      if (answer.errno === 0) acknowledged = true;
      else
        faults.push(
          `command ${answer.sequence}: ${errnoName(answer.errno)} at ${answer.offset} ${answer.message ?? ""}`,
        );
    }
  }
  return faults.length > 0 || acknowledged ? faults : ["no answer"];
}

function dump(message: number, family: number, fill: (writer: MessageWriter) => void): readonly Uint8Array[] {
  const writer = new MessageWriter();
  const type = netfilterType(netfilterSubsystems.nftables, message);
  const start = writer.beginMessage({ type, flags: messageFlags.request | messageFlags.dump, sequence: 1 });
  writeNetfilterHeader(writer, family);
  fill(writer);
  writer.endMessage(start);
  socket.send(writer.toBytes());
  const payloads: Uint8Array[] = [];
  const reader = new DumpReader(1, ({ payload }) => payloads.push(Uint8Array.from(payload)));
  while (!reader.done) {
    const datagram = socket.receive();
    if (typeof datagram === "string") throw new Error(`dump: ${datagram}`);
    reader.add(datagram);
  }
  return payloads;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.batch !== undefined) console.log(JSON.stringify(runBatch(Buffer.from(request.batch, "base64"))));
  else {
    const family = netfilterFamilies[request.family as "ip" | "ip6" | "netdev"];
    console.log(JSON.stringify(readTable((message, fill) => dump(message, family, fill), request.table)));
  }
}
