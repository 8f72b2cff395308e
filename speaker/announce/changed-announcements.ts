import { addressBytes } from "../../src/ip/address.ts";
import type { Link } from "../links/link.ts";
import type { AddressChange } from "../responder/address-change.ts";
import type { AnnouncementIndex } from "./announcement-index.ts";
import { type Announcement, announcedInterfaceOf } from "./plan.ts";

interface Noted {
  readonly link: Link;
  readonly text: string;
  readonly address: Uint8Array;
  readonly wasAnnounced: boolean;
}

/**
 * Collects the addresses on interfaces whose announcement a sync may change, and then says which it did change. Several VirtualIPs may
 * have the same address, so one that ends does not always end the announcement.
 */
export class ChangedAnnouncements {
  readonly #index: AnnouncementIndex;
  /** By interface and address. */
  readonly #noted = new Map<string, Noted>();

  constructor(index: AnnouncementIndex) {
    this.#index = index;
  }

  /** Call it before what is announced of a VirtualIP changes. */
  note(before: Announcement | undefined, after: Announcement | undefined): void {
    for (const announcement of [before, after]) {
      if (announcement === undefined) continue;
      for (const link of announcement.links) this.#noteOne(link, announcement);
    }
  }

  #noteOne(link: Link, { text, address }: Announcement): void {
    const key = `${link.name} ${text}`;
    if (this.#noted.has(key)) return;
    const wasAnnounced = this.#index.has(text, link.name);
    this.#noted.set(key, { link, text, address: addressBytes(address), wasAnnounced });
  }

  /** What differs now from what was noted. */
  changes(): readonly AddressChange[] {
    return [...this.#noted.values()].flatMap(({ link, text, address, wasAnnounced }) => {
      const isAnnounced = this.#index.has(text, link.name);
      const on = announcedInterfaceOf(link);
      if (isAnnounced === wasAnnounced || on === undefined) return [];
      return [{ kind: isAnnounced ? "announce" : "withdraw", on, text, address } as const];
    });
  }
}
