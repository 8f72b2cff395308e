import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import type { Claim } from "../../src/heartbeat/messages.ts";
import { addressBytes, addressFromBytes, formatAddress, type IpAddress, parseAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { formatMac } from "../../src/packet/mac.ts";
import type { LastStake } from "../last-stakes/last-stakes.ts";
import type { Link } from "../links/link.ts";
import type { FoundDevice, ProbeCause } from "../responder/address-probes.ts";
import type { ResponderCommand } from "../responder/commands.ts";
import type { ObservedConflict, Responder } from "../responder/responder.ts";
import { type Conflict, ConflictTracker } from "./conflicts.ts";
import type { GroupSocket } from "./group-socket.ts";
import { type Holding, type HoldingFact, Holdings, type ReleasedFact } from "./holdings.ts";
import { MulticastGroups } from "./multicast-groups.ts";
import { interfacesOf, type SentStake, SentStakes } from "./sent-stakes.ts";
import { announcedInterfaceOf, type PlannedStake, StakePlan } from "./stake-plan.ts";

/** Receives changes to what is announced. */
export interface AnnouncementListener {
  /** Whether, where or by which term a VirtualIP is announced has changed, or a conflict about its address has begun or ended. */
  announcementChanged(virtualIp: string): void;
  /** This node has begun to announce the address of the VirtualIP. */
  announcementBegun(virtualIp: string, fact: HoldingFact): void;
  /** Other stakes are armed than before. */
  stakesChanged(): void;
  /** There is a stake in the address from now on. `announcedBy`: by the status of the VirtualIP. */
  stakeAdded(address: string, announcedBy: string | undefined): void;
  /** There is no longer a stake in the address. */
  stakeRemoved(address: string): void;
}

export interface AnnouncerOptions {
  readonly node: string;
  readonly responder: Pick<Responder, "send">;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  readonly changes: AnnouncementListener;
  /** The node that has an interface with this MAC address, in lower case with colons. */
  readonly nodeOfMac: (mac: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An address that this node announces. */
export interface Announcement extends Holding {
  readonly text: string;
  /** The interfaces that it is announced on, at least one. */
  readonly links: readonly Link[];
}

/**
 * Tells the responder thread in which addresses this node has a stake, and joins their multicast groups. Knows from what the thread reports
 * which of them are announced, and which other devices answer for these.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #plan: StakePlan;
  readonly #sent = new SentStakes();
  readonly #holdings = new Holdings();
  readonly #groups: MulticastGroups;
  readonly #conflicts = new ConflictTracker();
  /** Addresses whose stake is not sent as planned yet; "all" after `planAll`. */
  #due: Set<string> | "all" = new Set();
  /** The device that has an address which is not announced for that reason, by address. */
  readonly #used = new Map<string, Conflict>();
  /** Addresses that wait for their rules. */
  readonly #waiting = new Set<string>();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#plan = new StakePlan(options.node);
    this.#groups = new MulticastGroups(options.openGroupSocket, options.log);
  }

  /** What is announced of a VirtualIP now. */
  announcement(name: string): Announcement | undefined {
    const text = this.#plan.textOf(name) ?? "";
    const stake = this.#sent.get(text);
    const holding = this.#holdings.get(text);
    if (stake === undefined || holding === undefined || stake.planned.name !== name) return undefined;
    const links = stake.planned.links.filter((link) => stake.interfaces.includes(link.name));
    return links.length === 0 ? undefined : { ...holding, text, links };
  }

  /** Whether the thread may announce the address of the VirtualIP now or soon. */
  mayAnnounce(name: string): boolean {
    const text = this.#plan.textOf(name);
    if (text === undefined || this.#used.has(text)) return false;
    return this.#due === "all" || this.#due.has(text) || this.#sent.get(text)?.armed === true;
  }

  /** The device that also answers for the announced address of a VirtualIP, or has one that is not announced for that reason. */
  conflictOf(name: string): Conflict | undefined {
    const text = this.#plan.textOf(name) ?? "";
    const conflict = this.#used.get(text) ?? this.#conflicts.conflictOf(text);
    return conflict === undefined ? undefined : { ...conflict, node: this.#options.nodeOfMac(conflict.mac) };
  }

  get conflictCount(): number {
    return this.#conflicts.count + this.#used.size;
  }

  /** The addresses that are answered for, as text. */
  get addresses(): readonly string[] {
    return [...this.#holdings.addresses];
  }

  get addressCount(): number {
    return this.#holdings.count;
  }

  /** Names of the interfaces that an IPv4 address is announced on. */
  get announcingIPv4(): ReadonlySet<string> {
    return this.#holdings.ipv4Interfaces;
  }

  /** Names of the interfaces on whose LAN there is an address of a Service, by the plan. Sorted. */
  get lanInterfaces(): readonly string[] {
    return this.#plan.lanInterfaces;
  }

  /** Plans one VirtualIP; undefined: it is gone. Sends nothing yet. */
  plan(name: string, virtualIp: VirtualIP | undefined): void {
    const touched = this.#plan.put(name, virtualIp);
    if (this.#due !== "all") for (const text of touched) this.#due.add(text);
  }

  /** Plans everything again; costs as much as there are VirtualIPs. Sends nothing yet. */
  planAll(virtualIps: ReadonlyMap<string, VirtualIP>, links: readonly Link[]): void {
    this.#plan.rebuild(links, virtualIps);
    this.#due = "all";
  }

  /** The kernel has the rules of these addresses now, as text. Returns whether one of them waited for that; `apply` then arms its stake. */
  rulesApplied(addresses: readonly string[]): boolean {
    const waiting = addresses.filter((text) => this.#waiting.has(text));
    if (this.#due !== "all") for (const text of waiting) this.#due.add(text);
    return waiting.length > 0;
  }

  /**
   * Sends what was planned since the last time. A stake in an address whose rules the kernel does not have is not armed, and waits for
   * `rulesApplied`; one that is armed already stays so. `mustWait`: whether a new stake is not sent before `rulesApplied`.
   */
  apply(hasRules: (address: IpAddress) => boolean, mustWait: (stake: PlannedStake) => boolean = () => false): void {
    const all = this.#due === "all";
    const due = this.#due === "all" ? new Set([...this.#sent.addresses, ...this.#plan.texts]) : this.#due;
    this.#due = new Set();
    if (all) this.#groups.retry();
    this.#send(this.#sent.retry());
    const stakes = [...due].map((text) => [text, this.#stakeIn(text, hasRules)] as const);
    // Withdrawals come first, so that nothing waits for them.
    for (const [text, stake] of stakes) if (stake === undefined) this.#remove(text);
    for (const [text, stake] of stakes) {
      if (stake === undefined) continue;
      // Not even unarmed: the other owners would not wait for one that says that it cannot.
      if (this.#sent.get(text) === undefined && mustWait(stake.planned)) this.#waiting.add(text);
      else this.#set(stake);
    }
  }

  /** Sets these interfaces in the thread, whether an address is announced on them or not. */
  watch(links: readonly Link[]): void {
    this.#send(this.#sent.setWatched(links.flatMap((link) => announcedInterfaceOf(link) ?? [])));
  }

  /** Whether the thread has given up an interface of a stake; the next `apply` then sets it again. */
  get incomplete(): boolean {
    return this.#sent.incomplete;
  }

  /** The thread has given up an interface. */
  interfaceFailed(interfaceName: string): void {
    this.#sent.fail(interfaceName);
  }

  /** The thread has begun or ceased to answer for an address, or does so by another claim. */
  holdingChanged(fact: HoldingFact | ReleasedFact): void {
    const { address } = fact;
    const stake = this.#sent.get(address);
    if (this.#holdings.note(fact)) this.#reportChange(fact, stake);
    if (fact.kind === "released" && stake !== undefined && !this.#isOwner(stake.planned)) this.#remove(address);
    else this.#holdings.setInterfaces(address, stake?.interfaces ?? []);
    if (stake !== undefined) this.#options.changes.announcementChanged(stake.planned.name);
  }

  /** The claims by which addresses are announced now, by address as text. */
  get claims(): ReadonlyMap<string, Claim> {
    return this.#holdings.claims;
  }

  /** The armed stakes, for a speaker that starts while the API server does not answer. */
  get lastStakes(): readonly Omit<LastStake, "previous">[] {
    return [...this.#sent.stakes].flatMap(({ address, owners, term, createdSeconds, armed, interfaces, planned }) =>
      armed
        ? [{ name: planned.name, address, owners: [...owners], term, createdSeconds, interfaces: [...interfaces] }]
        : [],
    );
  }

  /**
   * Takes over the stakes of an earlier speaker on this node, whose rules are in the kernel, until everything is planned. Another device may use
   * an address meanwhile, so that the LAN is asked first.
   */
  restore(stakes: readonly Omit<LastStake, "previous">[], links: readonly Link[]): void {
    for (const { name, address: text, owners, term, createdSeconds, interfaces: names } of stakes) {
      const address = parseAddress(text);
      const present = links.filter((link) => link.up && names.includes(link.name));
      const interfaces = present.filter((link) => announcedInterfaceOf(link) !== undefined).map((link) => link.name);
      if (address === undefined || interfaces.length === 0) continue;
      const common = { owners, term, createdSeconds, announcedBy: undefined, isNew: false };
      const planned: PlannedStake = { name, address, text, ...common, links: present };
      this.#set(stakeOf(planned, interfaces, true, "restored"));
    }
  }

  /** Another device answers for one of the addresses. */
  observeConflict({ address: bytes, mac: macBytes, interfaceName }: ObservedConflict): void {
    const address = formatAddress(addressFromBytes(bytes));
    const mac = formatMac(macBytes);
    if (!this.#conflicts.observe({ address, mac, interfaceName }, this.#options.clock.monotonicMs())) return;
    this.#options.log.error(
      { address, mac, interfaceName },
      "another device answers for an address that is announced here",
    );
    this.#reportAddress(address);
  }

  /** Another device has the address, which is not announced for that reason; undefined: none has it any longer. */
  addressUseObserved(address: string, by: FoundDevice | undefined): void {
    const { log } = this.#options;
    if (by === undefined) {
      if (this.#used.delete(address)) log.info({ address }, "no other device has the address any longer");
    } else {
      const mac = formatMac(by.mac);
      const { interfaceName, hadBefore } = by;
      this.#used.set(address, { address, mac, interfaceName, hadBefore });
      log.error({ address, mac, interfaceName }, "not announcing the address, because another device has it");
    }
    this.#reportAddress(address);
  }

  /** Forgets conflicts that are over. Call it from time to time. */
  expireConflicts(): void {
    const announced = (address: string): boolean => this.#holdings.has(address);
    for (const address of this.#conflicts.expire(this.#options.clock.monotonicMs(), announced)) {
      this.#options.log.info({ address }, "no other device answers for the address any longer");
      this.#reportAddress(address);
    }
  }

  /** Leaves the multicast groups. The responder belongs to the caller. */
  close(): void {
    this.#groups.close();
  }

  /** The stake as it is planned; undefined: none. */
  #stakeIn(text: string, hasRules: (address: IpAddress) => boolean): SentStake | undefined {
    this.#waiting.delete(text);
    const planned = this.#plan.get(text);
    if (planned === undefined) return undefined;
    const before = this.#sent.get(text);
    const wasArmed = before?.armed === true;
    // Until another node has taken over, this one continues, although it is no longer an owner.
    if (!this.#isOwner(planned) && !(wasArmed && this.#holdings.has(text))) return undefined;
    const waits = !hasRules(planned.address);
    if (waits) this.#waiting.add(text);
    const possible = planned.links.filter((link) => announcedInterfaceOf(link) !== undefined).map(({ name }) => name);
    const interfaces = waits && wasArmed ? possible.filter((name) => before.interfaces.includes(name)) : possible;
    const armed = interfaces.length > 0 && (wasArmed || !waits);
    return stakeOf(planned, interfaces, armed, planned.isNew ? "new" : undefined);
  }

  #set(stake: SentStake): void {
    const { address: text, planned } = stake;
    const before = this.#sent.get(text);
    this.#send(this.#sent.set(stake));
    this.#groups.put(text, stake.bytes, stake.armed ? interfacesOf(stake) : []);
    this.#holdings.setInterfaces(text, stake.interfaces);
    const { changes, log } = this.#options;
    if (before === undefined) changes.stakeAdded(text, stake.announcedBy);
    if (before?.armed !== stake.armed) changes.stakesChanged();
    if (this.#holdings.has(text) && linksText(before) !== linksText(stake)) changes.announcementChanged(planned.name);
    if (planned.links.length === 0 && planned.owners[0] === this.#options.node && before?.planned.links.length !== 0)
      log.warn({ address: text }, "this node should announce the address but does not: no interface on its LAN is up");
  }

  #remove(text: string): void {
    const before = this.#sent.get(text);
    this.#plan.forget(text);
    this.#used.delete(text);
    const { changes } = this.#options;
    if (before === undefined) {
      changes.stakeRemoved(text);
      return;
    }
    this.#send(this.#sent.remove(text));
    this.#groups.put(text, before.bytes, []);
    changes.announcementChanged(before.planned.name);
    changes.stakesChanged();
    changes.stakeRemoved(text);
  }

  #send(commands: readonly ResponderCommand[]): void {
    for (const command of commands) this.#options.responder.send(command);
  }

  #isOwner({ owners }: PlannedStake): boolean {
    return owners.includes(this.#options.node);
  }

  #reportChange(fact: HoldingFact | ReleasedFact, stake: SentStake | undefined): void {
    const { changes, log } = this.#options;
    const { address } = fact;
    if (fact.kind === "released") {
      log.info({ address, to: fact.to }, "no longer announcing the address");
      return;
    }
    const { cause, from, gapMs } = fact;
    log.info({ address, interfaces: stake?.interfaces, cause, from, gapMs }, "announcing the address");
    if (stake !== undefined) changes.announcementBegun(stake.planned.name, fact);
  }

  #reportAddress(text: string): void {
    const stake = this.#sent.get(text);
    if (stake !== undefined) this.#options.changes.announcementChanged(stake.planned.name);
  }
}

function stakeOf(
  planned: PlannedStake,
  interfaces: readonly string[],
  armed: boolean,
  probe: ProbeCause | undefined,
): SentStake {
  const { text, address, owners, term, createdSeconds, announcedBy } = planned;
  const { family } = address;
  const bytes = addressBytes(address);
  return { address: text, bytes, family, owners, term, createdSeconds, announcedBy, armed, interfaces, planned, probe };
}

/** What the status of a VirtualIP contains of the interfaces. */
function linksText(stake: SentStake | undefined): string {
  const links = stake?.planned.links.filter(({ name }) => stake.interfaces.includes(name)) ?? [];
  return links.map(({ name, mac }) => `${name}/${mac}`).join(" ");
}
