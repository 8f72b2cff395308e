import { end, type FilterInstruction, jump, load } from "../../src/libc/filter-instruction.ts";
import { Poller } from "../../src/libc/poller.ts";
import { LinuxNetlinkSocket } from "../../src/netlink-socket/linux-netlink-socket.ts";
import { newGenerationType } from "../../src/nft-netlink/table-events.ts";
import { hostNetworkGroups } from "../../src/rtnetlink/host-network.ts";
import { runPollingThread, type ThreadWork } from "../polling-thread/run-polling-thread.ts";
import type { KernelReport, KernelRequest } from "./commands.ts";
import { KernelLoop } from "./kernel-loop.ts";

/** Answers of one batch that fit: a batch with mistakes has an error for each, of about 830 bytes. */
const answerBytes = 4 * 1024 * 1024;

/** NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h). */
const nftablesGroup = 7;

/** What a number in host order is for BPF, which reads big-endian. */
function half(value: number): number {
  return new DataView(Uint16Array.of(value).buffer).getUint16(0);
}

function word(value: number): number {
  return new DataView(Uint32Array.of(value).buffer).getUint32(0);
}

function textWord(text: string): number {
  return Buffer.from(text, "latin1").readUInt32BE();
}

/**
 * Receives NFT_MSG_NEWGEN, one message for each commit in a datagram of its own, and what other sockets do to our tables: the first attribute of all
 * messages about chains, rules, sets and elements is the name of the table (nf_tables_fill_*_info in net/netfilter/nf_tables_api.c). Several may be
 * in one datagram, of which the first decides. The type is at byte 4, the port at 12, the name at 24.
 */
function tableEventFilter(ownPort: number): readonly FilterInstruction[] {
  return [
    load("half", 4),
    jump(half(newGenerationType), 6, 0),
    load("word", 12),
    jump(word(ownPort), 5, 0),
    load("word", 24),
    jump(textWord("bell"), 0, 3),
    load("word", 28),
    jump(textWord("hop\0"), 0, 1),
    end(0xffff_ffff),
    end(0),
  ];
}

/** The kernel thread: it blocks in poll(2) and in calls to the kernel. */
function open(report: (report: KernelReport) => void): ThreadWork<KernelRequest> {
  const poller = new Poller();
  const writer = new LinuxNetlinkSocket("netfilter", { receiveBufferBytes: answerBytes });
  const sockets = {
    writer,
    reader: new LinuxNetlinkSocket("netfilter"),
    conntrack: new LinuxNetlinkSocket("netfilter"),
    chains: new LinuxNetlinkSocket("netfilter"),
    route: new LinuxNetlinkSocket("route"),
    tableEvents: new LinuxNetlinkSocket("netfilter", {
      groups: [nftablesGroup],
      filter: tableEventFilter(writer.portId),
    }),
    routeEvents: new LinuxNetlinkSocket("route", { groups: hostNetworkGroups }),
  };
  const fds = [sockets.tableEvents.fd, sockets.routeEvents.fd];
  const loop = new KernelLoop({
    sockets,
    now: () => performance.now(),
    wait: (timeoutMs) => poller.wait(fds, timeoutMs),
    report,
  });
  return {
    wakeFd: poller.wakeFd,
    loop,
    close() {
      for (const socket of Object.values(sockets)) socket.close();
      poller.close();
    },
  };
}

runPollingThread((_data: undefined, report: (report: KernelReport) => void) => open(report));
