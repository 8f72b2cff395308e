import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { formatMac } from "../../src/packet/mac.ts";
import type { Link } from "../links/link.ts";
import type { AddressChange } from "../responder/commands-between.ts";
import type { ObservedConflict, Responder } from "../responder/responder.ts";
import { AnnouncementIndex } from "./announcement-index.ts";
import { ChangedAnnouncements } from "./changed-announcements.ts";
import { type Conflict, ConflictTracker } from "./conflicts.ts";
import { type GroupSocket, MulticastGroups } from "./multicast.ts";
import { type Announcement, AnnouncementPlan, responderState } from "./plan.ts";

export interface AnnouncerOptions {
  readonly node: string;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  /** Told when what is to be said about a VirtualIP may have changed, by its name. */
  readonly onChange: (name: string) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Decides what the responder announces, and knows what it announces now and who else claims it. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #plan: AnnouncementPlan;
  readonly #groups: MulticastGroups;
  readonly #conflicts = new ConflictTracker();
  readonly #announced = new AnnouncementIndex();
  /** VirtualIPs whose plan is not carried out yet; "all" after the interfaces were taken anew. */
  #due: Set<string> | "all" = new Set();
  #responder: Responder | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#plan = new AnnouncementPlan(options.node);
    this.#groups = new MulticastGroups(options.openGroupSocket, options.log);
  }

  /** From now on announces by this responder. */
  use(responder: Responder): void {
    this.#responder = responder;
  }

  /** What is announced of a VirtualIP now; without links: it should be, but cannot. */
  announcement(name: string): Announcement | undefined {
    return this.#announced.get(name);
  }

  conflictOf(address: string): Conflict | undefined {
    return this.#conflicts.conflictOf(address);
  }

  get conflictCount(): number {
    return this.#conflicts.count;
  }

  /** The addresses that are answered for, as text. */
  get addresses(): readonly string[] {
    return this.#announced.addresses;
  }

  get addressCount(): number {
    return this.#announced.count;
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

  /** Plans everything anew; costs as much as there are VirtualIPs. Announces nothing yet. */
  planAll(virtualIps: ReadonlyMap<string, VirtualIP>, links: readonly Link[]): void {
    this.#plan.rebuild(links, virtualIps);
    this.#due = "all";
  }

  /**
   * Carries out what was planned since the last time. `lettingGoOnly`: nothing that is not announced already is, because its rules are
   * not written, and it stays due; what the plan leaves out is let go all the same.
   */
  apply(lettingGoOnly: boolean): void {
    const due = this.#due;
    const whole = due === "all" || this.incomplete;
    const names = due === "all" ? new Set([...this.#announced.names, ...this.#plan.names]) : due;
    const before = new Map([...names].map((name) => [name, this.#announced.get(name)]));
    const touched = new ChangedAnnouncements(this.#announced);
    this.#due = new Set();
    for (const name of names) {
      const planned = this.#plan.get(name);
      const possible = planned === undefined || !lettingGoOnly ? planned : this.#standingOf(planned);
      if (possible?.links.length !== planned?.links.length) this.#due.add(name);
      if (!whole) touched.note(before.get(name), possible);
      this.#announced.set(name, possible);
    }
    if (whole) this.#tellAll();
    else this.#tellChanges(touched.changes());
    for (const [name, one] of before) this.#noteChange(name, one, this.#announced.get(name));
  }

  /** As much of the announcement as the responder answers for already. */
  #standingOf(planned: Announcement): Announcement {
    const standing = this.#responder?.state;
    const links = planned.links.filter((link) => standing?.get(link.name)?.addresses.has(planned.text) === true);
    return { ...planned, links };
  }

  #tellAll(): void {
    const state = responderState(this.#announced.announcements);
    this.#responder?.set(state);
    void this.#groups.set(state);
  }

  #tellChanges(changes: readonly AddressChange[]): void {
    if (changes.length === 0) return;
    this.#responder?.change(changes);
    void this.#groups.change(changes);
  }

  /** Whether an interface that is announced on has failed in the responder; what is carried out next says everything anew. */
  get incomplete(): boolean {
    for (const name of this.#announced.interfaces) if (this.#responder?.state.has(name) !== true) return true;
    return false;
  }

  /** Another station was heard claiming one of the addresses. */
  observeConflict({ address: bytes, mac: macBytes, interfaceName }: ObservedConflict): void {
    const address = textOf(bytes);
    const mac = formatMac(macBytes);
    if (!this.#conflicts.observe({ address, mac, interfaceName }, this.#options.now())) return;
    this.#options.log.error(
      { address, mac, interfaceName },
      "another station claims an address that is announced here",
    );
    this.#noteAddress(address);
  }

  /** Forgets conflicts that are over. Call it now and then. */
  expireConflicts(): void {
    const announced = (address: string): boolean => this.#announced.namesOf(address).size > 0;
    for (const address of this.#conflicts.expire(this.#options.now(), announced)) {
      this.#options.log.info({ address }, "nobody else claims the address any more");
      this.#noteAddress(address);
    }
  }

  /** Gives up the multicast groups. The responder belongs to the caller. */
  close(): void {
    this.#groups.close();
  }

  #noteChange(name: string, before: Announcement | undefined, after: Announcement | undefined): void {
    const places = (one: Announcement | undefined) => one?.links.map((link) => `${link.name}/${link.mac}`).join(" ");
    if (places(before) === places(after)) return;
    const { log, onChange } = this.#options;
    const interfaces = after?.links.map((link) => link.name) ?? [];
    if (interfaces.length > 0) log.info({ address: after?.text, interfaces }, "announcing the address");
    else if (after === undefined) log.info({ address: before?.text }, "letting go of the address");
    else
      log.warn(
        { address: after.text },
        "the address is ours but not announced: no interface on its LAN is up, or its rules are missing",
      );
    onChange(name);
  }

  #noteAddress(text: string): void {
    for (const name of this.#announced.namesOf(text)) this.#options.onChange(name);
  }
}

function textOf(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return formatAddress({ family: bytes.length === 4 ? "IPv4" : "IPv6", value });
}
