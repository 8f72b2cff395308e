import type { IPAddressPool } from "../../src/api/ip-address-pool.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import { poolObject } from "../allocate/pool/pool.ts";
import { readPool } from "../allocate/pool/pool-set.ts";
import { Fingerprints } from "./fingerprints.ts";
import { RefusedObject } from "./refused-object.ts";
import { foreignKey, type Watched } from "./sources.ts";

/** The part of a pool that is needed to write its status, even where it does not follow its schema. */
export interface PoolObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
  };
  readonly status?: IPAddressPool["status"] | undefined;
  /** Namespace of a pool of MetalLB, whose status is not ours to write. Undefined: the pool is ours. */
  readonly metallbNamespace?: string | undefined;
}

interface InvalidPool {
  readonly reason: Reason;
  readonly object: PoolObject;
}

/** The pools that the watch shows, including those that do not follow their schema. */
export class ObservedPools {
  readonly #pools: Watched["pools"];
  readonly #invalid = new Map<string, InvalidPool>();
  readonly #fingerprints = new Fingerprints();

  constructor(pools: Watched["pools"]) {
    this.#pools = pools;
  }

  /** Returns whether more than the status has changed, which we write ourselves. */
  observe(name: string): boolean {
    const pool = this.#pools.views.get(name);
    if (pool === undefined) return this.#fingerprints.changed(name, "");
    // Read now, so that many new pools are not all read at the moment when the first Service needs one.
    readPool(pool);
    const { uid, creationTimestamp, labels } = pool.metadata;
    return this.#fingerprints.changed(name, JSON.stringify([uid, creationTimestamp, labels, pool.spec]));
  }

  /** A pool does not follow its schema. Without `invalid` it follows it again, or was deleted. `key`: its name, or a `foreignKey`. */
  reject(key: string, invalid: InvalidObject | undefined, raw: unknown): void {
    if (invalid === undefined) {
      this.#invalid.delete(key);
      return;
    }
    const { metadata, status } = raw as {
      metadata: Partial<PoolObject["metadata"]> & { readonly namespace?: string };
      status?: PoolObject["status"];
    };
    const { name = key, uid = "", resourceVersion = "", generation = 0, namespace } = metadata;
    const about = { object: poolObject(name), field: "", value: "", detail: invalid.message };
    this.#invalid.set(key, {
      reason: invalid instanceof RefusedObject ? invalid.reason : reasonOf("PoolSchemaInvalid", about),
      object: { metadata: { name, uid, resourceVersion, generation }, status, metallbNamespace: namespace },
    });
  }

  /** The pools that do not follow their schema, and why, by name. Not one of MetalLB whose name one of ours has. */
  get invalidReasons(): Iterable<readonly [string, Reason]> {
    const names = new Set([...this.#invalid.values()].map(({ object }) => object.metadata.name));
    return [...names].flatMap((name): (readonly [string, Reason])[] => {
      const invalid = this.#pools.views.has(name) ? undefined : this.#invalidOf(name);
      return invalid === undefined ? [] : [[name, invalid.reason]];
    });
  }

  get names(): readonly string[] {
    const invalid = [...this.#invalid.values()].map(({ object }) => object.metadata.name);
    return [...new Set([...this.#pools.views.keys(), ...invalid])];
  }

  object(name: string): PoolObject | undefined {
    return this.#pools.views.get(name) ?? this.#invalidOf(name)?.object;
  }

  #invalidOf(name: string): InvalidPool | undefined {
    return this.#invalid.get(name) ?? this.#invalid.get(foreignKey(name));
  }
}
