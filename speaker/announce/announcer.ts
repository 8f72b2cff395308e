import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { addressFromBytes, formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { formatMac } from "../../src/packet/mac.ts";
import type { Link } from "../links/link.ts";
import type { AddressChange } from "../responder/address-change.ts";
import type { ObservedConflict, Responder } from "../responder/responder.ts";
import { AnnouncementIndex } from "./announcement-index.ts";
import { ChangedAnnouncements } from "./changed-announcements.ts";
import { type Conflict, ConflictTracker } from "./conflicts.ts";
import type { GroupSocket } from "./group-socket.ts";
import { MulticastGroups } from "./multicast-groups.ts";
import { type Announcement, AnnouncementPlan, responderState } from "./plan.ts";
import { WaitingAddresses } from "./waiting-addresses.ts";

/** Receives changes to what is announced. */
export interface AnnouncementListener {
  /** Where a VirtualIP is announced has changed, or a conflict about its address has begun or ended. */
  announcementChanged(virtualIp: string): void;
}

export interface AnnouncerOptions {
  readonly node: string;
  readonly responder: Responder;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  readonly changes: AnnouncementListener;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Carries out the plan with the responder and the multicast groups. Knows what is announced now, and which other devices answer for it. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #responder: Responder;
  readonly #plan: AnnouncementPlan;
  readonly #groups: MulticastGroups;
  readonly #conflicts = new ConflictTracker();
  readonly #index = new AnnouncementIndex();
  /** VirtualIPs whose plan is not carried out yet; "all" after `planAll`. */
  #due: Set<string> | "all" = new Set();
  /** VirtualIPs whose address waits for its rules. */
  readonly #waiting = new WaitingAddresses();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#responder = options.responder;
    this.#plan = new AnnouncementPlan(options.node);
    this.#groups = new MulticastGroups(options.openGroupSocket, options.log);
  }

  /** What is announced of a VirtualIP now; without links: it should be, but cannot. */
  announcement(name: string): Announcement | undefined {
    return this.#index.get(name);
  }

  conflictOf(address: string): Conflict | undefined {
    return this.#conflicts.conflictOf(address);
  }

  get conflictCount(): number {
    return this.#conflicts.count;
  }

  /** The addresses that are answered for, as text. */
  get addresses(): readonly string[] {
    return this.#index.addresses;
  }

  get addressCount(): number {
    return this.#index.count;
  }

  /** Names of the interfaces on whose LAN there is an address of a Service, by the plan. Sorted. */
  get lanInterfaces(): readonly string[] {
    return this.#plan.lanInterfaces;
  }

  /** Plans one VirtualIP; undefined: it is gone. Announces nothing yet. */
  plan(name: string, virtualIp: VirtualIP | undefined): void {
    this.#plan.put(name, virtualIp);
    if (this.#due !== "all") this.#due.add(name);
  }

  /** Plans everything again; costs as much as there are VirtualIPs. Announces nothing yet. */
  planAll(virtualIps: ReadonlyMap<string, VirtualIP>, links: readonly Link[]): void {
    this.#plan.rebuild(links, virtualIps);
    this.#due = "all";
  }

  /**
   * The kernel has the rules of these addresses now, as text. Returns whether one of them waited for that; `apply` then announces it.
   */
  rulesApplied(addresses: readonly string[]): boolean {
    let waited = false;
    for (const address of addresses)
      for (const name of [...this.#waiting.namesOf(address)]) {
        waited = true;
        if (this.#due !== "all") this.#due.add(name);
      }
    return waited;
  }

  /**
   * Carries out what was planned since the last time. An address whose rules the kernel does not have is not announced, and waits for
   * `rulesApplied`; what is announced already stays, and what the plan no longer contains is withdrawn.
   */
  apply(hasRules: (address: IpAddress) => boolean): void {
    const due = this.#due;
    const whole = due === "all" || this.incomplete;
    const names = due === "all" ? new Set([...this.#index.names, ...this.#plan.names]) : due;
    const before = new Map([...names].map((name) => [name, this.#index.get(name)]));
    const changed = new ChangedAnnouncements(this.#index);
    this.#due = new Set();
    if (due === "all") this.#waiting.clear();
    for (const name of names) {
      const planned = this.#plan.get(name);
      const waits = planned !== undefined && !hasRules(planned.address);
      const possible = waits ? this.#alreadyAnnounced(planned) : planned;
      this.#waiting.set(name, waits ? planned.text : undefined);
      if (!whole) changed.note(before.get(name), possible);
      this.#index.set(name, possible);
    }
    if (whole) this.#setAll();
    else this.#setChanges(changed.changes());
    for (const [name, one] of before) this.#reportChange(name, one, this.#index.get(name));
  }

  /** As much of the announcement as the responder answers for already; undefined: nothing. */
  #alreadyAnnounced(planned: Announcement): Announcement | undefined {
    const { state } = this.#responder;
    const links = planned.links.filter((link) => state.get(link.name)?.addresses.has(planned.text) === true);
    return links.length === 0 ? undefined : { ...planned, links };
  }

  #setAll(): void {
    const state = responderState(this.#index.announcements);
    this.#responder.set(state);
    void this.#groups.set(state);
  }

  #setChanges(changes: readonly AddressChange[]): void {
    if (changes.length === 0) return;
    this.#responder.change(changes);
    void this.#groups.change(changes);
  }

  /** Whether an interface that is announced on has failed in the responder; the next `apply` then sets everything again. */
  get incomplete(): boolean {
    for (const name of this.#index.interfaces) if (!this.#responder.state.has(name)) return true;
    return false;
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

  /** Forgets conflicts that are over. Call it from time to time. */
  expireConflicts(): void {
    const announced = (address: string): boolean => this.#index.announces(address);
    for (const address of this.#conflicts.expire(this.#options.clock.monotonicMs(), announced)) {
      this.#options.log.info({ address }, "no other device answers for the address any longer");
      this.#reportAddress(address);
    }
  }

  /** Leaves the multicast groups. The responder belongs to the caller. */
  close(): void {
    this.#groups.close();
  }

  #reportChange(name: string, before: Announcement | undefined, after: Announcement | undefined): void {
    const interfacesOf = (one: Announcement | undefined) =>
      one?.links.map((link) => `${link.name}/${link.mac}`).join(" ");
    if (interfacesOf(before) === interfacesOf(after)) return;
    const { log, changes } = this.#options;
    const interfaces = after?.links.map((link) => link.name) ?? [];
    if (interfaces.length > 0) log.info({ address: after?.text, interfaces }, "announcing the address");
    else if (after === undefined) log.info({ address: before?.text }, "withdrawing the address");
    else
      log.warn(
        { address: after.text },
        "this node should announce the address but does not: no interface on its LAN is up",
      );
    changes.announcementChanged(name);
  }

  #reportAddress(text: string): void {
    for (const name of this.#index.namesOf(text)) this.#options.changes.announcementChanged(name);
  }
}
