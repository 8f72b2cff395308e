import type { VirtualIP } from "../../src/config/virtual-ip.ts";
import { formatAddress } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { formatMac } from "../../src/packet/mac.ts";
import type { Link } from "../links/link.ts";
import type { ConflictSighting, Responder } from "../responder/responder.ts";
import { type Conflict, ConflictTracker } from "./conflicts.ts";
import { type GroupSocket, MulticastGroups } from "./multicast.ts";
import { type Announcement, planAnnouncements, responderState } from "./plan.ts";

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
  readonly #groups: MulticastGroups;
  readonly #conflicts = new ConflictTracker();
  /** By name of the VirtualIP. */
  #announcements: ReadonlyMap<string, Announcement> = new Map();
  #responder: Responder | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#groups = new MulticastGroups(options.openGroupSocket, options.log);
  }

  /** From now on announces by this responder. */
  use(responder: Responder): void {
    this.#responder = responder;
  }

  /** What is announced of a VirtualIP now; without links: it should be, but cannot. */
  announcement(name: string): Announcement | undefined {
    return this.#announcements.get(name);
  }

  conflictOf(address: string): Conflict | undefined {
    return this.#conflicts.conflictOf(address);
  }

  get conflictCount(): number {
    return this.#conflicts.count;
  }

  /** The addresses that are answered for, as text. */
  get addresses(): readonly string[] {
    return [...this.#announcements.values()].filter(({ links }) => links.length > 0).map(({ text }) => text);
  }

  plan(virtualIps: Iterable<VirtualIP>, links: readonly Link[]): readonly Announcement[] {
    return planAnnouncements(virtualIps, links, this.#options.node);
  }

  /**
   * Carries out a plan. `lettingGoOnly`: nothing that is not announced already is, because its rules are not written; what the
   * plan leaves out is let go all the same.
   */
  announce(planned: readonly Announcement[], lettingGoOnly: boolean): void {
    const standing = this.#responder?.state;
    const stands = (text: string, link: Link) => standing?.get(link.name)?.addresses.has(text) === true;
    const possible = planned.map((one) => ({
      ...one,
      links: one.links.filter((link) => !lettingGoOnly || stands(one.text, link)),
    }));
    const state = responderState(possible);
    this.#responder?.set(state);
    void this.#groups.set(state);
    const before = this.#announcements;
    this.#announcements = new Map(possible.map((one) => [one.name, one]));
    for (const name of new Set([...before.keys(), ...this.#announcements.keys()])) {
      this.#tellChange(name, before.get(name), this.#announcements.get(name));
    }
  }

  /** Whether an interface that is announced on has failed in the responder, so that it must be said anew. */
  get incomplete(): boolean {
    for (const { links } of this.#announcements.values()) {
      for (const link of links) if (this.#responder?.state.has(link.name) !== true) return true;
    }
    return false;
  }

  /** Another station was heard claiming one of the addresses. */
  hearConflict({ address: bytes, mac: macBytes, interfaceName }: ConflictSighting): void {
    const address = textOf(bytes);
    const mac = formatMac(macBytes);
    if (!this.#conflicts.hear({ address, mac, interfaceName }, this.#options.now())) return;
    this.#options.log.error(
      { address, mac, interfaceName },
      "another station claims an address that is announced here",
    );
    this.#noteAddress(address);
  }

  /** Forgets conflicts that are over. Call it now and then. */
  tidyConflicts(): void {
    const announced = new Set(this.addresses);
    for (const address of this.#conflicts.tidy(this.#options.now(), (one) => announced.has(one))) {
      this.#options.log.info({ address }, "nobody else claims the address any more");
      this.#noteAddress(address);
    }
  }

  /** Gives up the multicast groups. The responder belongs to the caller. */
  close(): void {
    this.#groups.close();
  }

  #tellChange(name: string, before: Announcement | undefined, after: Announcement | undefined): void {
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
    for (const { text: other, name } of this.#announcements.values()) if (other === text) this.#options.onChange(name);
  }
}

function textOf(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return formatAddress({ family: bytes.length === 4 ? "IPv4" : "IPv6", value });
}
