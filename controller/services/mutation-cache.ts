import type { ServiceView } from "../../src/model/service.ts";

interface Mutation {
  readonly view: ServiceView;
  /** Versions that our own writes have replaced: the watch may still show them. */
  readonly replaced: Set<string>;
}

/**
 * Services as our own writes left them, until the watch has caught up (as the MutationCache of client-go): a plan made from an
 * outdated view would only meet a conflict. Compares versions only for equality.
 */
export class MutationCache {
  readonly #mutations = new Map<string, Mutation>();

  /** Call it after a write; `before` is the view that it was planned for, `after` the API server's answer. */
  written(before: ServiceView, after: ServiceView): void {
    const replaced = this.#mutations.get(after.key)?.replaced ?? new Set();
    if (before.resourceVersion !== after.resourceVersion) replaced.add(before.resourceVersion);
    this.#mutations.set(after.key, { view: after, replaced });
  }

  /** The newer of what the watch shows and what we wrote. */
  newest(key: string, watched: ServiceView | undefined): ServiceView | undefined {
    const ahead = this.#mutations.get(key);
    if (ahead === undefined) return watched;
    if (watched !== undefined && ahead.replaced.has(watched.resourceVersion)) return ahead.view;
    this.#mutations.delete(key);
    return watched;
  }

  clear(): void {
    this.#mutations.clear();
  }
}
