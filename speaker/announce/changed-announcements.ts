import { addressBytes } from "../../src/ip/address.ts";
import type { Link } from "../links/link.ts";
import type { AddressChange } from "../responder/commands-between.ts";
import type { AnnouncementIndex } from "./announcement-index.ts";
import { type Announcement, announcedInterfaceOf } from "./plan.ts";

interface Place {
  readonly link: Link;
  readonly text: string;
  readonly address: Uint8Array;
  readonly stood: boolean;
}

/** Addresses on interfaces that may be announced otherwise than before; several VirtualIPs may have the same address. */
export class ChangedAnnouncements {
  readonly #announced: AnnouncementIndex;
  readonly #places = new Map<string, Place>();

  constructor(announced: AnnouncementIndex) {
    this.#announced = announced;
  }

  /** Call it before what is announced of a VirtualIP changes. */
  note(before: Announcement | undefined, after: Announcement | undefined): void {
    for (const announcement of [before, after]) {
      for (const link of announcement?.links ?? []) this.#noteOne(link, announcement as Announcement);
    }
  }

  #noteOne(link: Link, { text, address }: Announcement): void {
    const key = `${link.name} ${text}`;
    if (this.#places.has(key)) return;
    const stood = this.#announced.has(text, link.name);
    this.#places.set(key, { link, text, address: addressBytes(address), stood });
  }

  /** What differs by now. */
  changes(): readonly AddressChange[] {
    return [...this.#places.values()].flatMap(({ link, text, address, stood }) => {
      const stands = this.#announced.has(text, link.name);
      const station = announcedInterfaceOf(link);
      if (stands === stood || station === undefined) return [];
      return [{ kind: stands ? "announce" : "withdraw", station, text, address } as const];
    });
  }
}
