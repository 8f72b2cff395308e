import { metallbGroupVersion } from "../../src/api/metallb.ts";
import { type EventSubject, ownSubject } from "../../src/kube/event.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import { RefusedObject } from "./refused-object.ts";

/** An L2Advertisement that cannot be used. */
export interface RefusedAdvertisement {
  readonly reason: Reason;
  readonly subject: EventSubject;
}

interface RawObject {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/**
 * The L2Advertisements that cannot be used. They count as advertisements that allow nothing: if they were ignored, the addresses that
 * they restrict would be announced from everywhere.
 */
export class ObservedAdvertisements {
  readonly #refused = new Map<string, RefusedAdvertisement>();

  /** An advertisement does not follow its schema. Without `invalid` it follows it again, or was deleted. `key`: unique among all kinds. */
  reject(key: string, invalid: InvalidObject | undefined, raw: unknown): void {
    if (invalid === undefined) this.#refused.delete(key);
    else this.#refused.set(key, refusedAdvertisement(invalid, raw as RawObject));
  }

  /** Not one of MetalLB whose name one of ours has. `advertisements`: those that can be used, by name. */
  refused(advertisements: ReadonlyMap<string, unknown>): readonly RefusedAdvertisement[] {
    return [...this.#refused.values()].filter(
      ({ subject: { name, namespace } }) => namespace === undefined || !advertisements.has(name),
    );
  }
}

function refusedAdvertisement(invalid: InvalidObject, { metadata }: RawObject): RefusedAdvertisement {
  const { namespace, name, uid = "", resourceVersion = "" } = metadata;
  const own = ownSubject("L2Advertisement", { name, uid, resourceVersion });
  const about = { object: `L2Advertisement ${name}`, field: "", value: "", detail: invalid.message };
  return {
    reason: invalid instanceof RefusedObject ? invalid.reason : reasonOf("AdvertisementInvalid", about),
    subject: namespace === undefined ? own : { ...own, apiVersion: metallbGroupVersion, namespace },
  };
}
