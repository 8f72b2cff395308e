import type { InvalidObject } from "../../src/kube/view-store.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import type { WatchedResource } from "./sources.ts";

/** Receives every change to what the controller observes. */
export interface ChangeListener {
  /** An object of a watched collection was added, modified or deleted. `key`: `namespace/name`, or the name alone. */
  changed(resource: WatchedResource, key: string): void;
  /** An object does not follow its schema. Without `invalid` it follows it again, or was deleted. */
  invalid(resource: WatchedResource, key: string, invalid: InvalidObject | undefined, raw: unknown): void;
  /** A speaker started, stopped or died. */
  liveSpeakersChanged(): void;
  /** Work on a Service may have assigned or released addresses. */
  allocationsChanged(): void;
  /** An address gained its first node that may announce it, or lost the last one. */
  announceabilityChanged(claim: Claim): void;
}

/**
 * Carries changes from the parts that observe them to their listener. Exists because those parts are built before the listener; a
 * change before `listen` is lost.
 */
export class ChangeFeed implements ChangeListener {
  #listener: ChangeListener | undefined;

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  changed(resource: WatchedResource, key: string): void {
    this.#listener?.changed(resource, key);
  }

  invalid(resource: WatchedResource, key: string, invalid: InvalidObject | undefined, raw: unknown): void {
    this.#listener?.invalid(resource, key, invalid, raw);
  }

  liveSpeakersChanged(): void {
    this.#listener?.liveSpeakersChanged();
  }

  allocationsChanged(): void {
    this.#listener?.allocationsChanged();
  }

  announceabilityChanged(claim: Claim): void {
    this.#listener?.announceabilityChanged(claim);
  }
}
