import { speakerLeaseName } from "../../src/api/speaker.ts";
import { type Clock, repeat } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import type { TermPart } from "../../src/kube/leadership-term.ts";
import { leasePath, ownPath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import type { Watched } from "../observe/sources.ts";

export interface RemovedNodeCleanupOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly watched: Pick<Watched, "nodes" | "speakers" | "leases">;
  /** Names of the nodes whose speaker is alive. */
  readonly speakers: { readonly live: ReadonlySet<string> };
  readonly clock: Clock;
  readonly log: Logger;
}

/** A Node must be missing at two checks in a row: a node may be about to register. */
const checkMs = 60_000;
/** Deletions at one check, so that many nodes that go at once do not slow down the API server. */
const maxDeletions = 100;

/** The names of nodes of which a Speaker or a Lease is left, but neither a Node nor a living speaker. Sorted. */
export function findRemovedNodes(
  { nodes, speakers, leases }: RemovedNodeCleanupOptions["watched"],
  live: ReadonlySet<string>,
): readonly string[] {
  const names = new Set(speakers.views.keys());
  for (const { node } of leases.views.values()) names.add(node);
  return [...names].filter((name) => !nodes.views.has(name) && !live.has(name)).sort();
}

/**
 * Deletes the Speakers, SpeakerIdentities and Leases of nodes that are gone, while this controller leads. The garbage collector deletes
 * most of them with their Node. The rest are of earlier versions, or were created while their Node was deleted.
 */
export class RemovedNodeCleanup implements TermPart {
  readonly #options: RemovedNodeCleanupOptions;
  #missing: ReadonlySet<string> = new Set();
  #stopping = new AbortController();
  #deleting: Promise<void> = Promise.resolve();

  constructor(options: RemovedNodeCleanupOptions) {
    this.#options = options;
  }

  start(): void {
    this.#missing = new Set();
    this.#stopping = new AbortController();
    repeat(
      this.#options.clock,
      () => checkMs,
      () => this.#check(),
      this.#stopping.signal,
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#deleting;
  }

  #check(): void {
    const { watched, speakers } = this.#options;
    const missing = findRemovedNodes(watched, speakers.live);
    const removed = missing.filter((name) => this.#missing.has(name)).slice(0, maxDeletions);
    this.#missing = new Set(missing);
    if (removed.length > 0) this.#deleting = this.#deleting.then(() => this.#deleteAll(removed));
  }

  async #deleteAll(names: readonly string[]): Promise<void> {
    const { namespace, watched, log } = this.#options;
    for (const name of names) {
      if (this.#stopping.signal.aborted) return;
      const lease = speakerLeaseName(name);
      try {
        // First: it is not watched here, so the Speaker and the Lease show what has to be tried again.
        await this.#delete(ownPath("speakeridentities", name));
        if (watched.speakers.views.has(name)) await this.#delete(ownPath("speakers", name));
        if (watched.leases.views.has(`${namespace}/${lease}`)) await this.#delete(leasePath(namespace, lease));
        log.info({ node: name }, "deleted the Speaker and the Lease of a node that no longer exists");
      } catch (error) {
        // The next check tries again.
        log.warn({ err: error, node: name }, "cannot delete the Speaker and the Lease of a node that no longer exists");
      }
    }
  }

  async #delete(path: string): Promise<void> {
    try {
      await this.#options.client.request({ method: "DELETE", path });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
