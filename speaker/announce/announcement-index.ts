import { NameIndex } from "../../src/index/name-index.ts";
import type { Announcement } from "./plan.ts";

/** What is announced at this moment, found by VirtualIP, by address and by interface. Each call costs as much as it returns. */
export class AnnouncementIndex {
  readonly #byName = new Map<string, Announcement>();
  /** Names of the VirtualIPs that announce it; nearly always one. */
  readonly #byAddress = new NameIndex();
  /** How many announcements there are on it. */
  readonly #byInterface = new Map<string, number>();

  set(name: string, announcement: Announcement | undefined): void {
    const before = this.#byName.get(name);
    if (before !== undefined) this.#remove(before);
    if (announcement === undefined) return;
    this.#byName.set(name, announcement);
    const { text, links } = announcement;
    if (links.length > 0) this.#byAddress.add(text, name);
    for (const link of links) this.#byInterface.set(link.name, (this.#byInterface.get(link.name) ?? 0) + 1);
  }

  #remove({ name, text, links }: Announcement): void {
    this.#byName.delete(name);
    this.#byAddress.delete(text, name);
    for (const link of links) {
      const left = (this.#byInterface.get(link.name) ?? 0) - 1;
      if (left > 0) this.#byInterface.set(link.name, left);
      else this.#byInterface.delete(link.name);
    }
  }

  get(name: string): Announcement | undefined {
    return this.#byName.get(name);
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  get announcements(): Iterable<Announcement> {
    return this.#byName.values();
  }

  /** The addresses that are announced anywhere, as text. */
  get addresses(): readonly string[] {
    return [...this.#byAddress.keys];
  }

  get count(): number {
    return this.#byAddress.size;
  }

  /** The VirtualIPs that announce the address. */
  namesOf(text: string): Iterable<string> {
    return this.#byAddress.of(text);
  }

  /** Whether the address is announced anywhere. */
  announces(text: string): boolean {
    return this.#byAddress.has(text);
  }

  /** Whether the address is announced on the interface. */
  has(text: string, interfaceName: string): boolean {
    for (const name of this.#byAddress.of(text)) {
      if (this.#byName.get(name)?.links.some((link) => link.name === interfaceName) === true) return true;
    }
    return false;
  }

  /** The interfaces that something is announced on. */
  get interfaces(): Iterable<string> {
    return this.#byInterface.keys();
  }
}
