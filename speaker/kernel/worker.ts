import { end, type FilterInstruction, jump, load } from "../../src/libc/filter-instruction.ts";
import { Poller } from "../../src/libc/poller.ts";
import { LinuxNetlinkSocket } from "../../src/netlink-socket/linux-netlink-socket.ts";
import { hostNetworkGroups } from "../../src/rtnetlink/host-network.ts";
import { runPollingThread, type ThreadWork } from "../polling-thread/run-polling-thread.ts";
import type { KernelReport, KernelRequest } from "./commands.ts";
import { KernelLoop } from "./kernel-loop.ts";

/** Answers of one batch that fit: a batch with mistakes has an error for each, of about 830 bytes. */
const answerBytes = 4 * 1024 * 1024;

/** NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h). */
const nftablesGroup = 7;

/**
 * Receives NFT_MSG_NEWGEN alone: one message for each commit, in a datagram of its own. The type is in host order at byte 4, and BPF reads it
 * big-endian.
 */
const generationFilter: readonly FilterInstruction[] = [
  load("half", 4),
  jump(new DataView(Uint16Array.of(0x0a0f).buffer).getUint16(0), 0, 1),
  end(0xffff),
  end(0),
];

/** The kernel thread: it blocks in poll(2) and in calls to the kernel. */
function open(report: (report: KernelReport) => void): ThreadWork<KernelRequest> {
  const poller = new Poller();
  const sockets = {
    writer: new LinuxNetlinkSocket("netfilter", { receiveBufferBytes: answerBytes }),
    reader: new LinuxNetlinkSocket("netfilter"),
    conntrack: new LinuxNetlinkSocket("netfilter"),
    chains: new LinuxNetlinkSocket("netfilter"),
    route: new LinuxNetlinkSocket("route"),
    tableEvents: new LinuxNetlinkSocket("netfilter", { groups: [nftablesGroup], filter: generationFilter }),
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
