import type { IpFamily } from "../../../../../src/ip/address.ts";
import type { EventQueue } from "./event-queue.ts";

/** A VirtualIP at one time. */
export interface AddressView {
  readonly address: string;
  readonly family: IpFamily;
  readonly owners: readonly string[];
  readonly createdSeconds: number;
  readonly term: number;
  readonly announcedBy: string | undefined;
  /** Rises with each list of owners, whatever the term does. */
  readonly version: number;
}

/** The API server: the VirtualIPs, and the watch of each node, which is late by its own lag. */
export class Api {
  readonly #events: EventQueue;
  readonly #views = new Map<string, AddressView>();
  readonly #watchers = new Map<string, (view: AddressView) => void>();
  readonly #lags = new Map<string, number>();
  /** Until when the watch of a node is silent. */
  readonly #stuckUntil = new Map<string, number>();
  /** Those that were created again within a second. */
  readonly #recreated = new Set<string>();
  #created = 1;

  constructor(events: EventQueue) {
    this.#events = events;
  }

  get addresses(): Iterable<string> {
    return this.#views.keys();
  }

  get(address: string): AddressView | undefined {
    return this.#views.get(address);
  }

  /** The node watches, as after a start: it receives everything. */
  watch(node: string, receive: (view: AddressView) => void): void {
    this.#watchers.set(node, receive);
    for (const address of this.#views.keys()) this.#notify(node, address);
  }

  unwatch(node: string): void {
    this.#watchers.delete(node);
  }

  setLag(node: string, lagMs: number): void {
    this.#lags.set(node, lagMs);
  }

  setStuck(node: string, untilMs: number): void {
    this.#stuckUntil.set(node, Math.max(untilMs, this.#stuckUntil.get(node) ?? 0));
  }

  setOwners(address: string, owners: readonly string[]): void {
    const before = this.#views.get(address);
    const family: IpFamily = address.includes(":") ? "IPv6" : "IPv4";
    const createdSeconds = before?.createdSeconds ?? this.#created;
    const announcedBy = before?.announcedBy;
    const version = (before?.version ?? 0) + 1;
    this.#put({ address, family, owners, createdSeconds, term: (before?.term ?? 0) + 1, announcedBy, version });
  }

  /** Claims to the address do not say which of several lists of owners they are from. */
  isAmbiguous(address: string): boolean {
    return this.#recreated.has(address);
  }

  /** Deletes the VirtualIP and creates it again. `sameSecond`: its time of creation does not differ. */
  recreate(address: string, owners: readonly string[], sameSecond: boolean): void {
    const before = this.#views.get(address);
    if (before === undefined) return;
    if (sameSecond) this.#recreated.add(address);
    else this.#created += 1;
    this.#put({
      ...before,
      owners,
      createdSeconds: sameSecond ? before.createdSeconds : this.#created,
      term: 1,
      announcedBy: undefined,
      version: before.version + 1,
    });
  }

  setAnnouncedBy(address: string, node: string): void {
    const before = this.#views.get(address);
    if (before !== undefined) this.#views.set(address, { ...before, announcedBy: node });
  }

  #put(view: AddressView): void {
    this.#views.set(view.address, view);
    for (const node of this.#watchers.keys()) this.#notify(node, view.address);
  }

  #notify(node: string, address: string): void {
    const receive = this.#watchers.get(node);
    const run = (): void => {
      const stuckMs = this.#stuckUntil.get(node) ?? 0;
      if (stuckMs > this.#events.nowMs) this.#events.at(stuckMs, run);
      else if (this.#watchers.get(node) === receive) {
        const view = this.#views.get(address);
        if (view !== undefined) receive?.(view);
      }
    };
    this.#events.at(this.#events.nowMs + (this.#lags.get(node) ?? 1), run);
  }
}
