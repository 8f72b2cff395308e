import { groupVersion, timeText } from "../../src/api/api.ts";
import type { Speaker } from "../../src/api/speaker.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import { ApiError, isAlreadyExists, isConflict, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { ownPath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { Conflict } from "../announce/conflicts.ts";
import type { Announcement } from "../announce/plan.ts";
import { statusPatch } from "./virtual-ip-status.ts";

export interface ReporterOptions {
  readonly client: ApiClient;
  readonly node: string;
  readonly virtualIp: (name: string) => VirtualIP | undefined;
  readonly announcement: (name: string) => Announcement | undefined;
  readonly conflict: (address: string) => Conflict | undefined;
  readonly speakerStatus: () => NonNullable<Speaker["status"]>;
  /** How many addresses that status lists. */
  readonly addressCount: () => number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The key of the node's own Speaker object. No VirtualIP has an empty name. */
const speakerKey = "";

/**
 * The Speaker object lists every address, so writing it for each would cost the square: it is written this often at most, and less often
 * the longer it is.
 */
const speakerDelayMs = 500;
const speakerDelayPerAddressMs = 1;

/** Writes what this node does to the API server: its Speaker object, and the status of the addresses it announces. */
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
        // A conflict is the controller's write that came between: everyday.
        if (isConflict(error)) log.debug({ object, retryMs }, "the object has changed; writing again");
        else log.warn({ err: error, object, retryMs }, "the status cannot be written; trying again");
      },
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock,
      random,
    });
  }

  /** Something about an address may have changed. */
  noteVirtualIp(name: string): void {
    this.#queue.add(name);
  }

  /** Something about the node may have changed. */
  noteSpeaker(): void {
    const { addressCount } = this.#options;
    this.#queue.addAfter(speakerKey, speakerDelayMs + speakerDelayPerAddressMs * addressCount());
  }

  start(): void {
    this.#queue.start();
  }

  /** Ends after what is under way; what waits is not written. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #writeVirtualIp(name: string): Promise<void> {
    const { client, node, virtualIp, announcement, conflict, clock } = this.#options;
    const object = virtualIp(name);
    if (object === undefined) return;
    const mine = announcement(name);
    const now = timeText(clock.wallMs());
    const claim = mine === undefined ? undefined : conflict(mine.text);
    const status = statusPatch(object, { node, announcement: mine, conflict: claim, now });
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
    const { client, node, speakerStatus } = this.#options;
    const status = speakerStatus();
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
    const { client, node } = this.#options;
    const body = { apiVersion: groupVersion, kind: "Speaker", metadata: { name: node } };
    try {
      await client.request({ method: "POST", path: ownPath("speakers"), body });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
