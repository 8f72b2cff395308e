import type { Logger } from "pino";
import type { Clock } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import { netfilterFamilies } from "../../src/netlink/netfilter.ts";
import { encodeTransaction } from "../../src/nft/encode/transaction.ts";
import type { Nft, NftReader } from "../../src/nft/nft.ts";
import type { NftElement, NftSet } from "../../src/nft/set.ts";
import type { NftTable, NftTransaction } from "../../src/nft/transaction.ts";
import { batchError } from "../../src/nft-netlink/batch-error.ts";
import { ExpectedContents } from "../../src/nft-netlink/expected-contents.ts";
import type { DroppingChain } from "../../src/nft-netlink/forward-chains.ts";
import type { BatchOutcome } from "../../src/nft-netlink/run-batch.ts";
import type { TableName } from "../../src/nft-netlink/table-contents.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";
import type { Conntrack } from "../dataplane/conntrack.ts";
import type { DeadEndpoints } from "../dataplane/dead-endpoints.ts";
import type { FlowRule } from "../dataplane/flow.ts";
import { PollingThread } from "../polling-thread/polling-thread.ts";
import type { KernelReport, KernelRequest } from "./commands.ts";

/** Receives what the kernel thread reports. */
export interface KernelListener {
  /** Something else has changed one of our tables. `difference` says what differs, for people. */
  tableChanged(table: TableName, difference: string): void;
  /** The network of this node was read, at the start or after a change. */
  networkChanged(): void;
  /** The thread has ended without a `stop`, after it had started, or it hangs. Called once. */
  kernelDied(error: BellhopError): void;
}

export interface KernelOptions {
  readonly changes: KernelListener;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The main thread's interface to the kernel thread: nftables, connection tracking, and the network of this node. */
export interface Kernel extends Nft, NftReader, Conntrack {
  /** Whether the thread has started and not ended. */
  readonly alive: boolean;
  /** The network as it was last read. Throws BellhopError WorkerFailed before `start` has resolved. */
  readonly network: HostNetwork;
  /** The chains of all programs that drop forwarded packets by their policy; at most 30 s old. None before the first reading. */
  readonly droppingChains: readonly DroppingChain[];
  /** Starts the thread and resolves when it has read the network. Rejects with BellhopError WorkerFailed. Call it once. */
  start(): Promise<void>;
  /** For how long the thread has done nothing, in milliseconds; at most a few seconds old. It may wait in one call for other programs. */
  readonly silentMs: number;
  /** Ends the thread. What is under way rejects. Does not wait long for one that hangs. */
  stop(): Promise<void>;
}

/**
 * A call waits while other programs commit, 0.2 s beside a commit with 100,000 elements, and cannot be interrupted meanwhile. After this much silence,
 * a thousand times longer, the process ends, so that Kubernetes starts another one.
 */
const hangMs = 300_000;

/** Where the thread's code is: beside this file when run from source, and as `kernel-worker.js` beside the bundle. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./kernel-worker.js", import.meta.url);
}

/** A kernel whose thread does not run yet. */
export function createKernel(options: KernelOptions): Kernel {
  return new KernelThread(options);
}

/** What waits for an answer. */
interface Waiting {
  readonly resolve: (report: Answer) => void;
  readonly reject: (error: BellhopError) => void;
}

type Answer = Extract<KernelReport, { readonly id: number }>;
type Question = KernelRequest extends infer One
  ? One extends { readonly id: number }
    ? Omit<One, "id">
    : never
  : never;

class KernelThread implements Kernel {
  readonly #options: KernelOptions;
  readonly #expected = new ExpectedContents();
  readonly #waiting = new Map<number, Waiting>();
  readonly #thread: PollingThread<KernelRequest, KernelReport>;
  readonly #networkRead = Promise.withResolvers<void>();
  #network: HostNetwork | undefined;
  #droppingChains: readonly DroppingChain[] = [];
  #lastId = 0;

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#thread = new PollingThread({
      name: "kernel",
      program: workerUrl(),
      received: (report) => this.#receive(report),
      ended: (error) => this.#ended(error),
      hangMs,
      clock: options.clock,
      log: options.log,
    });
  }

  get alive(): boolean {
    return this.#thread.alive;
  }

  get silentMs(): number {
    return this.#thread.silentMs;
  }

  get network(): HostNetwork {
    if (this.#network === undefined) throw new BellhopError("WorkerFailed", "the network is not read yet");
    return this.#network;
  }

  get droppingChains(): readonly DroppingChain[] {
    return this.#droppingChains;
  }

  async start(): Promise<void> {
    await this.#thread.start(undefined);
    await this.#networkRead.promise;
  }

  async run(transaction: NftTransaction): Promise<void> {
    const { bytes, commands } = encodeTransaction(transaction);
    const after = this.#expected.after(transaction);
    const question = { kind: "write", bytes, commandCount: commands.length, expected: after.tables } as const;
    const { outcome } = (await this.#ask(question, [bytes.buffer])) as Answer & { readonly outcome: BatchOutcome };
    if (outcome.kind === "applied") {
      after.settle();
      return;
    }
    if (outcome.kind === "unknown") after.forget();
    throw batchError(outcome, commands);
  }

  async readElements({ family, name }: NftTable, set: NftSet): Promise<readonly NftElement[]> {
    const answer = await this.#ask({ kind: "readElements", table: { family: netfilterFamilies[family], name }, set });
    if (answer.kind !== "elementsRead") throw new BellhopError("WorkerFailed", `the answer is ${answer.kind}`);
    if ("failure" in answer.result) throw new BellhopError("NftFailed", answer.result.failure);
    return answer.result;
  }

  async deleteStale(family: IpFamily, rules: readonly FlowRule[]): Promise<number> {
    return this.#askDeletion({ kind: "deleteFlows", family, rules });
  }

  async deleteDead(family: IpFamily, dead: DeadEndpoints): Promise<number> {
    return this.#askDeletion({ kind: "deleteDead", family, dead });
  }

  async #askDeletion(question: Question): Promise<number> {
    const answer = await this.#ask(question);
    if (answer.kind !== "flowsDeleted") throw new BellhopError("WorkerFailed", `the answer is ${answer.kind}`);
    if (typeof answer.result === "number") return answer.result;
    throw new BellhopError("ConntrackFailed", answer.result.failure);
  }

  stop(): Promise<void> {
    return this.#thread.stop({ kind: "stop" });
  }

  #ask(question: Question, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (!this.#thread.alive) return Promise.reject(new BellhopError("WorkerFailed", "the kernel thread does not run"));
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { resolve, reject });
    this.#thread.send({ ...question, id }, transfer);
    return promise;
  }

  #ended(error: BellhopError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#thread.stopping) return;
    if (this.#network === undefined) this.#networkRead.reject(error);
    else this.#options.changes.kernelDied(error);
  }

  #receive(report: KernelReport): void {
    const { changes, log } = this.#options;
    switch (report.kind) {
      case "written":
      case "flowsDeleted":
      case "elementsRead":
        this.#waiting.get(report.id)?.resolve(report);
        this.#waiting.delete(report.id);
        break;
      case "tableChanged":
        changes.tableChanged(report.table, report.difference);
        break;
      case "networkRead":
        this.#network = report.network;
        this.#networkRead.resolve();
        changes.networkChanged();
        break;
      case "chainsRead":
        this.#droppingChains = report.chains;
        changes.networkChanged();
        break;
      case "chainsFailed":
        log.warn({ reason: report.reason }, "cannot read the chains of other programs; trying again in 30 s");
        break;
      case "networkFailed":
        log.warn({ reason: report.reason }, "cannot read the interfaces; trying again");
    }
  }
}
