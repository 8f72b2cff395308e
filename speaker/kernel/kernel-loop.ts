import { deleteFlows, type FlowProtocol, type TrackedFlow } from "../../src/ctnetlink/flows.ts";
import { BellhopError } from "../../src/error/error.ts";
import { addressFromBytes, formatAddress, type IpFamily } from "../../src/ip/address.ts";
import { readMessages } from "../../src/netlink/messages.ts";
import type { NetlinkSocket } from "../../src/netlink-socket/netlink-socket.ts";
import { NetlinkRequests } from "../../src/netlink-socket/requests.ts";
import type { NftElement } from "../../src/nft/set.ts";
import { readDroppingChains } from "../../src/nft-netlink/forward-chains.ts";
import { readElements } from "../../src/nft-netlink/read-elements.ts";
import { readTable, readTableHandle } from "../../src/nft-netlink/read-table.ts";
import { runBatch } from "../../src/nft-netlink/run-batch.ts";
import type { TableName } from "../../src/nft-netlink/table-contents.ts";
import { readTouchedTable } from "../../src/nft-netlink/table-events.ts";
import { readHostNetwork } from "../../src/rtnetlink/host-network.ts";
import { DeadConnections } from "../dataplane/dead-endpoints.ts";
import { FlowRules } from "../dataplane/flow.ts";
import { rewriteZone } from "../dataplane/rewrite-zone.ts";
import type { KernelReport, KernelRequest } from "./commands.ts";
import { Debounce } from "./debounce.ts";
import { TableWatch } from "./table-watch.ts";

/** The sockets of the kernel thread. Notifications have sockets of their own, so that they never mix with answers. */
export interface KernelSockets {
  /** Writes batches. */
  readonly writer: NetlinkSocket;
  /** Reads tables. */
  readonly reader: NetlinkSocket;
  readonly conntrack: NetlinkSocket;
  /** Lists the chains of all programs. */
  readonly chains: NetlinkSocket;
  readonly route: NetlinkSocket;
  /** A message for each commit of nftables (NEWGEN), and those about what others do to our tables. */
  readonly tableEvents: NetlinkSocket;
  /** Changes of interfaces, addresses and routes. */
  readonly routeEvents: NetlinkSocket;
}

export interface KernelLoopOptions {
  readonly sockets: KernelSockets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Blocks until one of the two sockets of events can be read, a request has come, or the time is over. */
  readonly wait: (timeoutMs: number) => void;
  readonly report: (report: KernelReport) => void;
}

/** The longest sleep. */
const longestSleepMs = 1000;

/** How long a piece of work may run before requests get their turn. */
const sliceMs = 5;

/** The network is read this often without an event, in case the kernel did not report a change. */
const networkPollMs = 30_000;

/** Chains of other programs are read this often: a service proxy may change them many times a second. */
const chainPollMs = 30_000;

/** How long to wait before a reading that failed is tried again. */
const pauseAfterFailureMs = 1000;

/**
 * During a batch of more bytes than this, the thread does not listen for commits: while anything listens, the kernel makes a message for each
 * element, whatever is then received (nf_tables_setelem_notify in net/netfilter/nf_tables_api.c). The tables are checked afterwards instead.
 * Below this, a check costs as much.
 */
const unheardBatchBytes = 100_000;

/** Work in steps: a generator that is resumed while there is nothing more urgent. */
type Work = Generator<void, void>;

/** Everything that the kernel thread does, without the thread: writes, watches, reads, deletes. Writes come first. */
export class KernelLoop {
  readonly #options: KernelLoopOptions;
  readonly #watch = new TableWatch();
  readonly #tables = new Debounce(10, 200);
  readonly #network = new Debounce(20, 200);
  readonly #reader: NetlinkRequests;
  readonly #conntrack: NetlinkRequests;
  readonly #route: NetlinkRequests;
  readonly #chains: NetlinkRequests;
  readonly #flowWork: Work[] = [];
  #networkWork: Work | undefined;
  #networkReadMs = Number.NEGATIVE_INFINITY;
  #chainWork: Work | undefined;
  #chainsText = "[]";
  #chainsReadMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: KernelLoopOptions) {
    const { sockets } = options;
    this.#options = options;
    this.#reader = new NetlinkRequests(sockets.reader);
    this.#conntrack = new NetlinkRequests(sockets.conntrack);
    this.#route = new NetlinkRequests(sockets.route);
    this.#chains = new NetlinkRequests(sockets.chains);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  apply(request: KernelRequest): void {
    switch (request.kind) {
      case "write":
        this.#write(request);
        break;
      case "deleteFlows":
        this.#flowWork.push(this.#deleteFlows(request));
        break;
      case "readElements":
        this.#readElements(request);
        break;
      case "deleteDead":
        this.#flowWork.push(this.#deleteDead(request));
        break;
      case "stop":
        this.#stopped = true;
    }
  }

  /** Waits until there is something to do, and does a slice of it. Throws only for bugs and broken sockets. */
  turn(): void {
    this.#options.wait(this.#untilDue());
    this.#drainEvents();
    const now = this.#options.now();
    if (isDue(this.#tables, now)) this.#checkTables();
    if (this.#networkWork === undefined && (isDue(this.#network, now) || now >= this.#networkReadMs + networkPollMs)) {
      this.#network.begin();
      this.#networkReadMs = now;
      this.#networkWork = this.#readNetwork();
    }
    if (this.#networkWork !== undefined && this.#advance(this.#networkWork)) this.#networkWork = undefined;
    if (this.#chainWork === undefined && now >= this.#chainsReadMs + chainPollMs) {
      this.#chainsReadMs = now;
      this.#chainWork = this.#readChains();
    }
    if (this.#chainWork !== undefined && this.#advance(this.#chainWork)) this.#chainWork = undefined;
    const [flowWork] = this.#flowWork;
    if (flowWork !== undefined && this.#advance(flowWork)) this.#flowWork.shift();
  }

  #untilDue(): number {
    if ((this.#networkWork ?? this.#chainWork) !== undefined || this.#flowWork.length > 0) return 0;
    const polls = [this.#networkReadMs + networkPollMs, this.#chainsReadMs + chainPollMs];
    const dues = [this.#tables.dueMs, this.#network.dueMs, ...polls];
    const next = Math.min(...dues.map((due) => due ?? Number.POSITIVE_INFINITY));
    return Math.ceil(Math.min(longestSleepMs, Math.max(0, next - this.#options.now())));
  }

  #drainEvents(): void {
    const { tableEvents, routeEvents, writer } = this.#options.sockets;
    const now = this.#options.now();
    drain(tableEvents, (datagram) => {
      // Our own commits are reported too. What is lost counts as a commit of others.
      const foreign =
        datagram === "lost" ? [] : readMessages(datagram).filter(({ portId }) => portId !== writer.portId);
      if (datagram === "lost" || foreign.length > 0) this.#tables.event(now);
      for (const message of foreign) this.#watch.touched(readTouchedTable(message));
    });
    drain(routeEvents, () => this.#network.event(now));
  }

  #write({ id, bytes, commandCount, expected }: Extract<KernelRequest, { kind: "write" }>): void {
    const { writer, tableEvents } = this.#options.sockets;
    const unheard = bytes.length > unheardBatchBytes;
    if (unheard) tableEvents.listen(false);
    const outcome = runBatch(writer, bytes, commandCount);
    if (unheard) {
      tableEvents.listen(true);
      // Others may have committed meanwhile.
      this.#tables.event(this.#options.now());
    }
    if (outcome.kind === "applied") this.#watch.expect(expected, (table) => this.#readHandle(table));
    else if (outcome.kind === "unknown") this.#watch.forget(expected);
    this.#options.report({ kind: "written", id, outcome });
    // Frees the memory: the thread waits in poll(2), and V8 may not free it for hours.
    if (unheard) bytes.buffer.transfer(0);
  }

  #readElements({ id, table, set }: Extract<KernelRequest, { kind: "readElements" }>): void {
    const report = (result: readonly NftElement[] | { readonly failure: string }) =>
      this.#options.report({ kind: "elementsRead", id, result });
    try {
      report(readElements(this.#reader, table, set));
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      report({ failure: error.message });
    }
  }

  #readHandle(table: TableName): bigint | undefined {
    try {
      return readTableHandle(this.#reader, table);
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      // The table is then compared without it.
      return undefined;
    }
  }

  #checkTables(): void {
    this.#tables.begin();
    const startMs = this.#options.now();
    let pauseMs = 0;
    try {
      for (const change of this.#watch.changed((table) => readTable(this.#reader, table))) {
        this.#options.report({ kind: "tableChanged", ...change });
      }
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      // Others are changing the rules all the time, or an answer was lost.
      this.#tables.event(this.#options.now());
      pauseMs = pauseAfterFailureMs;
    }
    const endMs = this.#options.now();
    this.#tables.end(endMs, endMs - startMs, pauseMs);
  }

  *#readNetwork(): Work {
    const startMs = this.#options.now();
    let pauseMs = 0;
    try {
      const network = yield* readHostNetwork(this.#route);
      this.#options.report({ kind: "networkRead", network });
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      this.#options.report({ kind: "networkFailed", reason: error.message });
      this.#network.event(this.#options.now());
      pauseMs = pauseAfterFailureMs;
    }
    const endMs = this.#options.now();
    this.#network.end(endMs, endMs - startMs, pauseMs);
  }

  *#readChains(): Work {
    try {
      const chains = yield* readDroppingChains(this.#chains);
      const text = JSON.stringify(chains);
      if (text !== this.#chainsText) this.#options.report({ kind: "chainsRead", chains });
      this.#chainsText = text;
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      this.#options.report({ kind: "chainsFailed", reason: error.message });
    }
  }

  *#deleteFlows({ id, family, rules }: Extract<KernelRequest, { kind: "deleteFlows" }>): Work {
    const compiled = new FlowRules(rules);
    yield* this.#delete(id, family, ["udp"], ({ original, reply }) =>
      compiled.forbids(original.destinationPort, () => ({
        destination: textOf(original.destination),
        destinationPort: original.destinationPort,
        replySource: textOf(reply.source),
        replySourcePort: reply.sourcePort,
      })),
    );
  }

  *#deleteDead({ id, family, dead }: Extract<KernelRequest, { kind: "deleteDead" }>): Work {
    const connections = new DeadConnections(dead, rewriteZone);
    yield* this.#delete(id, family, ["tcp", "udp"], ({ original, reply, timeWait }) =>
      connections.has({ destination: original.destination, zone: original.zone, replySource: reply.source, timeWait }),
    );
  }

  *#delete(
    id: number,
    family: IpFamily,
    protocols: readonly FlowProtocol[],
    isStale: (flow: TrackedFlow) => boolean,
  ): Work {
    try {
      let result = 0;
      for (const protocol of protocols) result += yield* deleteFlows(this.#conntrack, family, protocol, isStale);
      this.#options.report({ kind: "flowsDeleted", id, result });
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      this.#options.report({ kind: "flowsDeleted", id, result: { failure: error.message } });
    }
  }

  /** Runs the work for a while; true when it is finished. */
  #advance(work: Work): boolean {
    const endMs = this.#options.now() + sliceMs;
    do {
      if (work.next().done === true) return true;
    } while (this.#options.now() < endMs);
    return false;
  }
}

function isDue(debounce: Debounce, nowMs: number): boolean {
  return debounce.dueMs !== undefined && debounce.dueMs <= nowMs;
}

function drain(socket: NetlinkSocket, handle: (datagram: Uint8Array | "lost") => void): void {
  for (;;) {
    const datagram = socket.receive();
    if (datagram === "none") return;
    handle(datagram);
  }
}

function textOf(address: Uint8Array): string {
  return formatAddress(addressFromBytes(address));
}
