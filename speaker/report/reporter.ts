import { groupVersion, timeText } from "../../src/api/api.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import { ApiError, isAlreadyExists, isConflict, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { ownPath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { Announcer } from "../announce/announcer.ts";
import type { NodeOwner } from "./node-owner.ts";
import { type Refusals, refusalOf } from "./rules-refused.ts";
import type { SpeakerStatus } from "./speaker-status.ts";
import { statusPatch } from "./virtual-ip-status.ts";

export interface ReporterOptions {
  readonly client: ApiClient;
  readonly node: string;
  /** The Node, once it is known: the Speaker object is deleted together with it. */
  readonly owner: Pick<NodeOwner, "references">;
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly announcer: Announcer;
  readonly dataplane: Refusals;
  readonly status: SpeakerStatus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The key of the node's own Speaker object. No VirtualIP has an empty name. */
const speakerKey = "";

/**
 * The wait before a write of the Speaker object. It grows with the list of addresses, because writing the whole list after each change
 * would cost the square of their number.
 */
const speakerDelayMs = 500;
const speakerDelayPerAddressMs = 1;

/** Reports to the API server what this node does: its Speaker object, and the status of the addresses that it announces. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #queue: Queue<string>;
  #written: string | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#queue = new Queue({
      workers: 2,
      handle: async (key) => {
        await (key === speakerKey ? this.#writeSpeaker() : this.#writeVirtualIp(key));
        return "done";
      },
      onFailure: (key, error, retryMs) => {
        const object = key === speakerKey ? `Speaker ${options.node}` : `VirtualIP ${key}`;
        // The controller wrote in between, which is normal.
        if (isConflict(error)) log.debug({ object, retryMs }, "the object has changed; writing its status again");
        else log.warn({ err: error, object, retryMs }, "cannot write the status; trying again");
      },
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock,
      random,
    });
  }

  /** Call it when something about an address may have changed. */
  enqueueVirtualIp(name: string): void {
    this.#queue.add(name);
  }

  /** Call it when something about the node may have changed. */
  enqueueSpeaker(): void {
    const { addressCount } = this.#options.announcer;
    this.#queue.addAfter(speakerKey, speakerDelayMs + speakerDelayPerAddressMs * addressCount);
  }

  /** Call it when the node can serve other addresses than before: the controller should know at once. */
  reportSpeakerNow(): void {
    this.#queue.add(speakerKey);
  }

  /** Writes the Speaker again although nothing has changed: another client may have deleted it. */
  rewriteSpeaker(): void {
    this.#written = undefined;
    this.enqueueSpeaker();
  }

  start(): void {
    this.#queue.start();
  }

  /** Resolves when the writes in progress are done; pending ones are dropped. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #writeVirtualIp(name: string): Promise<void> {
    const { client, node, virtualIps, announcer, dataplane, clock } = this.#options;
    const object = virtualIps.views.get(name);
    if (object === undefined) return;
    const own = announcer.announcement(name);
    const now = timeText(clock.wallMs());
    const conflict = announcer.conflictOf(name);
    const refused = refusalOf(object, node, dataplane);
    const mayAnnounce = announcer.mayAnnounce(name);
    const status = statusPatch(object, { node, announcement: own, mayAnnounce, conflict, refused, now });
    if (status === undefined) return;
    const { uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion }, status };
    const path = `${ownPath("virtualips", name)}/status`;
    try {
      await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #writeSpeaker(): Promise<void> {
    const { client, node } = this.#options;
    const status = this.#options.status.current();
    const text = JSON.stringify(status);
    if (text === this.#written) return;
    const path = `${ownPath("speakers", node)}/status`;
    const request = { method: "PATCH", path, body: { status }, contentType: patchTypes.merge } as const;
    try {
      await client.request(request);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#createSpeaker();
      await client.request(request);
    }
    this.#written = text;
  }

  async #createSpeaker(): Promise<void> {
    const { client, node, owner } = this.#options;
    const ownerReferences = owner.references;
    const metadata = { name: node, ...(ownerReferences === undefined ? {} : { ownerReferences }) };
    const body = { apiVersion: groupVersion, kind: "Speaker", metadata };
    try {
      await client.request({ method: "POST", path: ownPath("speakers"), body });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
