import type { InvalidObject } from "../../src/kube/view-store.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import type { WatchedResource } from "./sources.ts";

/** What can change in the controller's picture of the cluster. */
export interface ChangeListener {
  /** An object of a watched collection was added, modified or deleted. */
  changed(resource: WatchedResource, key: string): void;
  /** An object does not follow its schema; without `invalid` it does again, or was deleted. */
  invalid(resource: WatchedResource, key: string, invalid: InvalidObject | undefined, raw: unknown): void;
  /** A speaker started, left or died. */
  liveSpeakersChanged(): void;
  /** Work on a Service may have assigned or released addresses. */
  allocationsChanged(): void;
  /** An address got its first node that may announce it, or lost the last. */
  announceabilityChanged(claim: Claim): void;
}

/**
 * Carries changes from the parts that notice them to the one that knows what follows. Parts are built before their listener;
 * nothing may change before it listens.
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
