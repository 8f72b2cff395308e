import { Backoff } from "../../src/clock/backoff.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { faultyKeys, lacksFamily, type Nft, type NftReader, type NftRefusal, refusalOf } from "../../src/nft/nft.ts";
import type { NftElement, NftSet } from "../../src/nft/set.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { changeClients, type KnownClients, needsClients, removesEndpoints, takenOver } from "./affinity-clients.ts";
import type { Element, ServicePortKey, SetName } from "./element.ts";
import { elementId, rawElementId } from "./element-id.ts";
import { ElementIndex } from "./element-index.ts";
import { findRefusedOwners } from "./find-refused-owners.ts";
import { elementOf, type IdentifiedElement } from "./kept-element.ts";
import { type RefusedOwner, RefusedOwners } from "./refused-owners.ts";
import { refusedPorts } from "./refused-ports.ts";
import type { RuleSettings } from "./rules.ts";
import { affinityClients, learnedClients, untakenServices } from "./sets.ts";
import {
  changeTable,
  emptyTable,
  hasAddress,
  hasRoom,
  replaceTable,
  settleChange,
  type TableChange,
  type TableState,
} from "./table-state.ts";
import { tableOf } from "./tables.ts";

/** Receives each transaction. */
export interface WriteListener {
  written(change: TableChange, whole: boolean, seconds: number): void;
  failed(): void;
  /** The clients with session affinity could not be read: they may get other endpoints. */
  clientsLost(error: BellhopError): void;
}

export interface TableWriterOptions {
  readonly family: NftIpFamily;
  readonly nft: Nft & NftReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly writes: WriteListener;
}

const nothingHeld: ReadonlyMap<string, readonly Element[]> = new Map();

/** The first wait after a failed write, and the longest; each is twice the one before. */
const retryBaseMs = 500;
const retryMaxMs = 30_000;

const addressSets: ReadonlySet<SetName> = new Set<SetName>(["service_addresses"]);

/**
 * Keeps our table of one family as its index says. The table in the kernel is never read: its state is what was last written. A transaction that
 * the kernel refuses changes nothing, so that state stays. The owners at fault are found, and everything else is written.
 * One call of `write` at a time, and none of `setOwner` during it.
 */
export class TableWriter {
  readonly #options: TableWriterOptions;
  readonly index = new ElementIndex();
  readonly #refused: RefusedOwners;
  /** What is in the kernel. "unknown": at the start, after a write of unknown outcome, or because another program has changed the table. */
  #state: TableState | "unknown" | "absent" = "unknown";
  /** Whether another program has changed the table since the last write began. */
  #distrusted = false;
  /** Whether the next write replaces the table although its state is known. */
  #replace = false;
  /** With which the table was written, and with which a write was last tried. */
  #settings: RuleSettings | undefined;
  #triedSettings: RuleSettings | undefined;
  /** By owner that has changed since the last write: its elements before. */
  readonly #before = new Map<string, readonly IdentifiedElement[]>();
  readonly #backoff: Backoff;
  #retryMs: number | undefined;
  #failingSinceMs: number | undefined;
  #writingSinceMs: number | undefined;
  #failure: string | undefined;
  #everWritten = false;
  /** Addresses that have come into the kernel since they were last taken. */
  #newAddresses: string[] = [];

  constructor(options: TableWriterOptions) {
    this.#options = options;
    this.#refused = new RefusedOwners(options.clock, options.random);
    this.#backoff = new Backoff(retryBaseMs, retryMaxMs, options.random);
  }

  /** Replaces the elements that an owner desires; empty: the owner is gone. */
  setOwner(owner: string, elements: readonly Element[]): void {
    if (this.#refused.get(owner) === undefined) {
      if (elements.length > 0 || this.index.has(owner)) this.#put(owner, elements);
    } else if (elements.length > 0) this.#refused.change(owner, elements);
    else {
      this.#refused.accept(owner);
      this.#put(owner, elements);
    }
  }

  #put(owner: string, elements: readonly Element[]): void {
    if (!this.#before.has(owner)) this.#before.set(owner, this.index.keptOf(owner));
    this.index.set(owner, elements);
  }

  /** Makes the next write replace the table, in case something else has changed it. */
  invalidate(): void {
    this.#replace = true;
  }

  /** Something else has changed the table: what is in it is not known, and the next write replaces it. */
  distrust(): void {
    this.#state = "unknown";
    this.#distrusted = true;
  }

  /** Whether the kernel has rules of the address, as far as is known; perhaps not yet the newest ones. */
  isApplied(address: IpAddress): boolean {
    if (typeof this.#state === "string") return false;
    const { family } = this.#options;
    return this.index.wasSettled(elementId({ family, set: "service_addresses", key: { address } }));
  }

  /** Why the kernel refuses the rules of an owner; undefined: it does not. */
  refusalOf(owner: string): RefusedOwner | undefined {
    return this.#refused.get(owner);
  }

  /** The owners whose rules the kernel refuses. */
  get refusedOwners(): Iterable<string> {
    return this.#refused.names;
  }

  /** Whether a write has succeeded at all. */
  get everWritten(): boolean {
    return this.#everWritten;
  }

  /** Since when no write has succeeded although there was one; undefined: the last one succeeded. Monotonic milliseconds. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs ?? this.#writingSinceMs;
  }

  /** Why the last write failed; undefined: it succeeded. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When to call `write` again although nothing has changed; undefined: never. Monotonic milliseconds. */
  get nextDueMs(): number | undefined {
    return this.#retryMs ?? this.#refused.nextDueMs;
  }

  /** The addresses whose rules have come into the kernel since the last call, as text. */
  takeNewAddresses(): readonly string[] {
    const addresses = this.#newAddresses;
    this.#newAddresses = [];
    return addresses;
  }

  /**
   * The ports left to a service proxy for which new connections were dropped in the last minute because the proxy did not take them. Throws
   * BellhopError.
   */
  async readUntaken(): Promise<readonly ServicePortKey[]> {
    const { nft, family } = this.#options;
    const elements = await nft.readElements(tableOf(family), untakenServices[family]);
    return elements.flatMap(({ key }) => {
      const proxied = this.index.get(rawElementId(family, "proxied_services", key));
      return proxied?.set === "proxied_services" ? [proxied.key] : [];
    });
  }

  /**
   * Brings the table up to date. Does nothing while it waits after a failure, unless the settings have changed. Throws BellhopError where nothing
   * could be written. That some owners are refused is not a failure.
   */
  async write(settings: RuleSettings): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (this.#retryMs !== undefined && now < this.#retryMs && sameSettings(this.#triedSettings, settings)) return;
    this.#triedSettings = settings;
    this.#writingSinceMs = now;
    try {
      await this.#writeAll(settings);
      for (const owner of this.#refused.due) await this.#retryOwner(owner, settings);
    } catch (error) {
      this.#failingSinceMs ??= now;
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#retryMs = this.#options.clock.monotonicMs() + this.#backoff.nextMs();
      throw error;
    } finally {
      this.#writingSinceMs = undefined;
    }
    this.#backoff.reset();
    this.#retryMs = undefined;
    this.#failingSinceMs = undefined;
    this.#failure = undefined;
    this.#everWritten = true;
  }

  /** Services without session affinity do not wait until the clients of the others are read. */
  async #writeAll(settings: RuleSettings): Promise<void> {
    const held = this.#needsWhole(settings) ? nothingHeld : this.#holdUntilRead();
    try {
      if (held.size > 0) await this.#writeDesired(settings);
    } finally {
      for (const [owner, elements] of held) this.#put(owner, elements);
    }
    await this.#writeDesired(settings);
  }

  /** Takes the owners for which clients are read out of the change, where there are others. Returns what they desire. */
  #holdUntilRead(): ReadonlyMap<string, readonly Element[]> {
    const reading = [...this.#before].filter(([, before]) => needsClients(before, (id) => this.index.kept(id)));
    if (reading.length === this.#before.size) return nothingHeld;
    const held = new Map(reading.map(([owner]) => [owner, this.index.elementsOf(owner)]));
    for (const [owner, before] of reading) {
      this.index.set(
        owner,
        before.map(({ id, kept }) => elementOf(id, kept)),
      );
      this.#before.delete(owner);
    }
    return held;
  }

  #needsWhole(settings: RuleSettings): boolean {
    return this.#replace || this.#state === "unknown" || !sameSettings(this.#settings, settings);
  }

  /** Until everything is written that the kernel takes. */
  async #writeDesired(settings: RuleSettings): Promise<void> {
    for (;;) {
      const whole = this.#needsWhole(settings);
      const refusal = await this.#attempt(settings, whole);
      if (refusal === undefined) return;
      // What is missing or there already may be another program's doing, and no Service's.
      const foreign = refusal.faults.some(({ errno }) => errno === "ENOENT" || errno === "EEXIST");
      const suspects = whole ? [...this.index.owners] : [...this.#before.keys()];
      const { nft, family } = this.#options;
      const refused =
        !whole && foreign ? [] : await findRefusedOwners(nft, family, this.index, suspects, refusal.faults);
      if (refused.length === 0 && whole) throw refusal.error;
      if (refused.length === 0) this.invalidate();
      for (const owner of refused) this.#setAside(owner, refusal);
    }
  }

  /** Writes once. Returns how the kernel has refused it; undefined: it is written. Throws BellhopError where the outcome is unknown. */
  async #attempt(settings: RuleSettings, whole: boolean): Promise<NftRefusal | undefined> {
    if (whole || this.#state !== "absent" || hasAddress(this.index)) {
      const known = typeof this.#state === "string" ? undefined : this.#state;
      const { family } = this.#options;
      const delta = known === undefined ? undefined : changeTable(family, known, this.index);
      const fits = known === undefined || delta === undefined || hasRoom(known, delta);
      const kept = whole || !fits ? undefined : known;
      const change =
        kept === undefined
          ? replaceTable(family, settings, this.index, await this.#readClients(), delta?.removed)
          : await this.#withClients(delta);
      const refusal = change && (await this.#run(change, kept === undefined));
      if (refusal !== undefined) return refusal;
      if (change !== undefined) this.#settle(settings, change, kept);
    }
    if (this.#state === "absent") this.index.forget();
    else this.index.settle();
    this.#before.clear();
    return undefined;
  }

  /**
   * The change, by which clients with session affinity lose endpoints that are gone, and keep those of ports that are taken over from kube-proxy. Reads
   * all clients, and only for such a change.
   */
  async #withClients(change: TableChange | undefined): Promise<TableChange | undefined> {
    if (change === undefined) return undefined;
    const { removed, added, transaction } = change;
    const taken = takenOver(removed, added);
    if (taken.size === 0 && !removesEndpoints(removed, added)) return change;
    const { family } = this.#options;
    const known = await this.#readClients(taken.size > 0);
    const { before, after } = changeClients(family, known, removed, added, taken);
    return { ...change, transaction: { commands: [...before, ...transaction.commands, ...after] } };
  }

  /** The clients with session affinity that the table has, also one that an earlier speaker wrote. `all`: also those that were only learned. */
  async #readClients(all = true): Promise<KnownClients> {
    const { family } = this.#options;
    const clients = await this.#readSet(affinityClients[family]);
    return { clients, learned: all ? await this.#readSet(learnedClients[family]) : [] };
  }

  async #readSet(set: NftSet): Promise<readonly NftElement[]> {
    const { nft, family, writes } = this.#options;
    try {
      return await nft.readElements(tableOf(family), set);
    } catch (error) {
      if (!(error instanceof BellhopError)) throw error;
      writes.clientsLost(error);
      return [];
    }
  }

  async #run(change: TableChange, whole: boolean): Promise<NftRefusal | undefined> {
    const { nft, clock, writes } = this.#options;
    const replace = this.#replace;
    // What is reported from here on concerns the table after the write.
    if (whole) this.#replace = false;
    this.#distrusted = false;
    const startMs = clock.monotonicMs();
    try {
      await nft.run(change.transaction);
    } catch (error) {
      writes.failed();
      const refusal = refusalOf(error);
      // A kernel without the family has no table that would have to be removed.
      if (whole && change.added.size === 0 && refusal !== undefined && lacksFamily(refusal.faults)) return undefined;
      this.#replace ||= replace;
      if (refusal === undefined) this.#state = "unknown";
      else return refusal;
      throw error;
    }
    writes.written(change, whole, (clock.monotonicMs() - startMs) / 1000);
    return undefined;
  }

  #settle(settings: RuleSettings, change: TableChange, kept: TableState | undefined): void {
    this.#settings = settings;
    const next = kept ?? emptyTable();
    settleChange(next, change, kept === undefined);
    this.#state = kept === undefined && change.added.size === 0 ? "absent" : next;
    if (this.#distrusted) this.#state = "unknown";
    for (const element of change.added.of(addressSets))
      if (element.set === "service_addresses") this.#newAddresses.push(formatAddress(element.key.address));
  }

  /** Goes back to the elements that the owner had before, or to none where those are refused too. */
  #setAside(owner: string, { error, faults }: NftRefusal): void {
    const elements = this.#refused.get(owner)?.elements ?? this.index.elementsOf(owner);
    const ports = refusedPorts(elements, faultyKeys(faults));
    const where = ports.length === 0 ? "" : `, of port ${ports.join(" and ")}`;
    this.#refused.refuse(owner, elements, `${error.message}${where}`);
    const before = this.#before.get(owner);
    this.#before.delete(owner);
    this.index.set(owner, before?.map(({ id, kept }) => elementOf(id, kept)) ?? []);
  }

  /** Tries the elements of an owner that was refused, alone. */
  async #retryOwner(owner: string, settings: RuleSettings): Promise<void> {
    const refused = this.#refused.get(owner);
    if (refused === undefined) return;
    this.#put(owner, refused.elements);
    const failure = await this.#attempt(settings, typeof this.#state === "string");
    if (failure === undefined) this.#refused.accept(owner);
    else this.#setAside(owner, failure);
  }
}

function sameSettings(left: RuleSettings | undefined, right: RuleSettings): boolean {
  return (
    left !== undefined &&
    left.nodeAddress === right.nodeAddress &&
    left.tcpLoose === right.tcpLoose &&
    left.servesInCluster === right.servesInCluster
  );
}
