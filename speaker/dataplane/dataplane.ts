import type { Logger } from "pino";
import type { Clock, Random } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { FamilyIndex } from "../../src/index/family-index.ts";
import { type IpAddress, type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import type { Nft, NftReader } from "../../src/nft/nft.ts";
import type { Conntrack } from "./conntrack.ts";
import type { DeadEndpoints } from "./dead-endpoints.ts";
import type { Element, ServicePortKey, SetName } from "./element.ts";
import { EndedConnections } from "./ended-connections.ts";
import { type HolderChange, HolderIndex } from "./holder-index.ts";
import type { AddressHolders } from "./holders.ts";
import type { DataplaneMetrics } from "./metrics.ts";
import { StaleFlows } from "./stale-flows.ts";
import { TableWriter, type WriteListener } from "./table-writer.ts";
import { nftFamilies } from "./tables.ts";

export interface DataplaneOptions {
  readonly nft: Nft & NftReader;
  readonly conntrack: Conntrack;
  readonly log: Logger;
  readonly metrics: DataplaneMetrics;
  readonly clock: Clock;
  readonly random: Random;
}

export interface DataplaneSettings {
  /** This node's address for node ports, by family. */
  readonly nodeAddresses: Readonly<Record<IpFamily, string | undefined>>;
  /** See `RuleSettings`. */
  readonly tcpLoose?: boolean | undefined;
}

/** Owner of the interfaces, which belong to no Service. */
const interfacesOwner = "(interfaces)";

/** Owner of the holders of an address. */
function holdersOwner(address: string): string {
  return `(holders of ${address})`;
}

/** Names of Services have no brackets. */
function isService(owner: string): boolean {
  return !owner.startsWith("(");
}

/** What a call of `apply` has done. */
export interface WriteResult {
  /** Addresses whose rules have come into the kernel, as text. */
  readonly newAddresses: readonly string[];
  /** Services whose rules the kernel refuses now and did not before, or the other way round. */
  readonly refusalsChanged: readonly string[];
  /** Families of which nothing could be written, with the error. */
  readonly failures: readonly { readonly family: IpFamily; readonly error: BellhopError }[];
}

/** The kernel refuses the rules of a Service in a family. */
export interface RulesRefusal {
  readonly family: IpFamily;
  /** What the kernel answered. */
  readonly reason: string;
}

/** The writes of one family. */
export interface FamilyWrites {
  /** Whether a write has succeeded at all. */
  readonly everWritten: boolean;
  /** Since when no write has succeeded although there was one, in monotonic milliseconds; undefined: the last one succeeded. */
  readonly failingSinceMs: number | undefined;
  /** Why the last one failed; undefined: it succeeded. */
  readonly failure: string | undefined;
}

/** Keeps the rules in the kernel as Services need them: collect with `setService` and `setInterfaces`, then `apply` all at once. */
export class Dataplane {
  readonly #writers: Readonly<Record<IpFamily, TableWriter>>;
  /** What was last said of each Service that is refused. */
  #refusals: ReadonlyMap<string, string> = new Map();
  #nodeAddresses: DataplaneSettings["nodeAddresses"] = { IPv4: undefined, IPv6: undefined };
  readonly #holders = new HolderIndex();
  /** Services of which ports are rewritten to node ports. */
  readonly #rewritten = new FamilyIndex();
  /** Services of which ports are rewritten for clients in the cluster, too. */
  readonly #inCluster = new FamilyIndex();
  readonly #cannotPassOn = new Set<IpFamily>();
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #othersRefused = new Map<IpFamily, string>();
  readonly #metrics: DataplaneMetrics;
  readonly #staleFlows: StaleFlows[] = [];
  readonly #ended: Readonly<Record<IpFamily, EndedConnections>>;

  constructor(options: DataplaneOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#log = options.log;
    const { conntrack, metrics, log } = options;
    this.#ended = {
      IPv4: new EndedConnections({ family: "IPv4", conntrack, metrics, log }),
      IPv6: new EndedConnections({ family: "IPv6", conntrack, metrics, log }),
    };
    this.#writers = { IPv4: this.#createWriter("IPv4", options), IPv6: this.#createWriter("IPv6", options) };
  }

  #createWriter(family: IpFamily, { nft, conntrack, clock, random, metrics, log }: DataplaneOptions): TableWriter {
    const written: WriteListener["written"] = (change, whole, seconds) => {
      metrics.transactions.inc({ family, kind: whole ? "whole" : "delta" });
      metrics.duration.observe({ family }, seconds);
      const [added, removed] = [change.added.size, change.removed.size];
      log.debug({ family, whole, added, removed }, "rules written");
      staleFlows.written(change, this.#nodeAddresses[family]);
    };
    const clientsLost: WriteListener["clientsLost"] = (error) =>
      log.warn({ err: error, family }, "cannot read the clients with session affinity; some may get other endpoints");
    const writes = { written, failed: () => metrics.failures.inc({ family }), clientsLost };
    const writer = new TableWriter({ family: nftFamilies[family], nft, clock, random, writes });
    const staleFlows = new StaleFlows({ family, conntrack, index: writer.index, metrics, clock, log });
    this.#staleFlows.push(staleFlows);
    return writer;
  }

  /** Services that have elements, or would have if the kernel did not refuse them. */
  get services(): readonly string[] {
    const owners = ipFamilies.flatMap((family) => {
      const { index, refusedOwners } = this.#writers[family];
      return [...index.owners, ...refusedOwners];
    });
    return [...new Set(owners)].filter(isService);
  }

  /** Replaces the elements of a Service; empty: the Service is gone. Not during `apply`. */
  setService(key: string, elements: readonly Element[]): void {
    this.#setOwner(key, elements);
  }

  /** The interfaces whose packets are rewritten. Not during `apply`. */
  setInterfaces(names: readonly string[]): void {
    this.#setOwner(
      interfacesOwner,
      ipFamilies.flatMap((family) =>
        names.map(
          (interfaceName): Element => ({
            family: nftFamilies[family],
            set: "lan_interfaces",
            key: { interfaceName },
          }),
        ),
      ),
    );
  }

  /**
   * Which nodes may know connections to an address that this node does not know: packets of those are passed on to them. Undefined: nothing is
   * passed on. In O(change). Not during `apply`, which writes it. Does nothing where the kernel cannot pass packets on.
   */
  setHolders(address: IpAddress, holders: AddressHolders | undefined): void {
    if (this.#cannotPassOn.has(address.family)) return;
    this.#putHolders(this.#holders.set(address, holders, this.#clock.monotonicMs()));
  }

  /**
   * The hardware addresses of another node, from which it passes packets on; none: the node is gone. A packet from a node that is not known here may
   * take more hops until it finds its node, and not more than five.
   */
  setPeer(node: string, macs: readonly string[]): void {
    const elements = Object.values(nftFamilies).flatMap((family) =>
      macs.map((mac): Element => ({ family, set: "peer_macs", key: { mac } })),
    );
    this.#setOwner(`(node ${node})`, elements);
  }

  /** The nodes that are dead, all of them: nothing is passed on to them. Not during `apply`. */
  setDeadNodes(nodes: ReadonlySet<string>): void {
    this.#putHolders(this.#holders.setDead(nodes, this.#clock.monotonicMs()));
  }

  /** Endpoints that are gone with their node: after the next `apply`, connections to them are deleted. */
  endConnections(family: IpFamily, dead: DeadEndpoints): void {
    this.#ended[family].add(dead);
  }

  /** The kernel lacks what passing packets on needs. Call it before `setHolders`. */
  disablePassingOn(family: IpFamily): void {
    this.#cannotPassOn.add(family);
  }

  #putHolders(changes: readonly HolderChange[]): void {
    for (const { address, elements } of changes) this.#setOwner(holdersOwner(address), elements);
  }

  #setOwner(owner: string, elements: readonly Element[]): void {
    for (const family of ipFamilies) {
      const isOwn = (element: Element) => element.family === nftFamilies[family];
      const own = elements.every(isOwn) ? elements : elements.filter(isOwn);
      const has = (name: SetName) => own.some(({ set }) => set === name);
      this.#rewritten.put(family, owner, has("node_ports"));
      this.#inCluster.put(family, owner, has("in_cluster_services"));
      this.#writers[family].setOwner(owner, own);
    }
  }

  /** Makes the next `apply` replace the tables, in case something else has changed them. */
  invalidate(): void {
    for (const family of ipFamilies) this.#writers[family].invalidate();
  }

  /** Something else has changed the table of the family: the next `apply` replaces it, and until then no address of it counts as applied. */
  foreignChange(family: IpFamily): void {
    this.#metrics.foreignChanges.inc({ family });
    this.#writers[family].distrust();
  }

  /** Whether the kernel has rules of the address, as far as is known; perhaps not yet the newest ones. */
  isApplied(address: IpAddress): boolean {
    return this.#writers[address.family].isApplied(address);
  }

  /** Why the kernel refuses the rules of a Service; undefined: it does not. */
  refusalOf(service: string): RulesRefusal | undefined {
    for (const family of ipFamilies) {
      const refused = this.#writers[family].refusalOf(service);
      if (refused !== undefined) return { family, reason: refused.reason };
    }
    return undefined;
  }

  /** Services whose rules the kernel refuses. */
  get refusedServices(): readonly string[] {
    return [...this.#refusals.keys()];
  }

  /**
   * The ports left to a service proxy for which new connections were dropped in the last minute because the proxy did not take them. What
   * cannot be read is left out.
   */
  async readUntaken(): Promise<readonly ServicePortKey[]> {
    const read = ipFamilies.map((family) => this.#writers[family].readUntaken());
    const results = await Promise.allSettled(read);
    return results.flatMap((result) => {
      if (result.status === "fulfilled") return result.value;
      if (!(result.reason instanceof BellhopError)) throw result.reason;
      return [];
    });
  }

  writesOf(family: IpFamily): FamilyWrites {
    return this.#writers[family];
  }

  /** When to call `apply` again although nothing has changed; undefined: never. Monotonic milliseconds. */
  get nextDueMs(): number | undefined {
    const due = [
      this.#holders.nextDueMs ?? [],
      ...ipFamilies.map((family) => this.#writers[family].nextDueMs ?? []),
    ].flat();
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Cancels the deletions of flows that are due later. */
  stop(): void {
    for (const flows of this.#staleFlows) flows.stop();
  }

  /**
   * Writes what has changed; one call at a time. A family that fails does not delay the other; it is tried again when `nextDueMs` says,
   * and not by calls before that.
   */
  async apply(settings: DataplaneSettings): Promise<WriteResult> {
    const failures: { family: IpFamily; error: BellhopError }[] = [];
    this.#nodeAddresses = settings.nodeAddresses;
    const { tcpLoose = true } = settings;
    this.#putHolders(this.#holders.expire(this.#clock.monotonicMs()));
    for (const family of ipFamilies) {
      try {
        const nodeAddress = this.#rewritten.has(family) ? settings.nodeAddresses[family] : undefined;
        const servesInCluster = this.#inCluster.has(family);
        await this.#writers[family].write({ nodeAddress, tcpLoose, servesInCluster });
      } catch (error) {
        if (!(error instanceof BellhopError)) throw error;
        failures.push({ family, error });
      }
      this.#ended[family].start();
    }
    const newAddresses = ipFamilies.flatMap((family) => this.#writers[family].takeNewAddresses());
    return { newAddresses, refusalsChanged: this.#takeRefusals(), failures };
  }

  /** What belongs to no Service is reported in the log alone. */
  #logOthers(family: IpFamily, refused: string): void {
    if (refused === (this.#othersRefused.get(family) ?? "")) return;
    this.#othersRefused.set(family, refused);
    if (refused !== "") this.#log.error({ family, refused }, "the kernel refuses rules that belong to no Service");
  }

  #takeRefusals(): readonly string[] {
    const before = this.#refusals;
    const now = new Map<string, string>();
    for (const family of ipFamilies) {
      const refused = [...this.#writers[family].refusedOwners];
      const owners = refused.filter(isService);
      this.#logOthers(family, refused.filter((owner) => !isService(owner)).join(", "));
      for (const owner of owners) {
        const reason = this.#writers[family].refusalOf(owner)?.reason ?? "";
        now.set(owner, `${now.get(owner) ?? ""}${family} ${reason}`);
      }
      this.#metrics.refused.set({ family }, owners.length);
    }
    this.#refusals = now;
    return [...new Set([...before.keys(), ...now.keys()])].filter((owner) => before.get(owner) !== now.get(owner));
  }
}
