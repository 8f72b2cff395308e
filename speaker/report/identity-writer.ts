import { groupVersion } from "../../src/api/api.ts";
import type { SpeakerIdentitySpec } from "../../src/api/speaker-identity.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import { ApiError, isAlreadyExists, isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { ownPath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import type { NodeView } from "../../src/model/node.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { Link } from "../links/link.ts";
import type { PeerDirectory } from "../peers/peer.ts";
import type { NodeOwner } from "./node-owner.ts";
import { isWritten, ownIdentity } from "./own-identity.ts";

export interface IdentityWriterOptions {
  readonly client: ApiClient;
  readonly node: string;
  /** The UDP port of heartbeats. */
  readonly port: number;
  /** The Node, once it is known: the SpeakerIdentity is deleted together with it. */
  readonly owner: Pick<NodeOwner, "references">;
  readonly nodes: { readonly views: ReadonlyMap<string, NodeView> };
  /** The SpeakerIdentities as they are watched. */
  readonly identities: { readonly views: PeerDirectory };
  readonly host: { readonly links: readonly Link[] };
  /** Whether an interface of the node has the address. */
  readonly isOnNode: (address: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Interfaces that appear or vanish together become one write. */
const delayMs = 500;

/**
 * Keeps the SpeakerIdentity of this node as it should be: writes it when its addresses, its port or its interfaces have changed, and
 * again when another client has changed or deleted it. All speakers watch these objects, so nothing else is written.
 */
export class IdentityWriter {
  readonly #options: IdentityWriterOptions;
  readonly #queue: Queue<string>;

  constructor(options: IdentityWriterOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#queue = new Queue({
      workers: 1,
      handle: async () => {
        await this.#write();
        return "done";
      },
      onFailure: (node, error, retryMs) =>
        log.warn(
          { err: error, object: `SpeakerIdentity ${node}`, retryMs },
          "cannot write where this speaker receives heartbeats; trying again",
        ),
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock,
      random,
    });
  }

  /** Call it when the Node, the interfaces of the node or its SpeakerIdentity have changed. */
  refresh(): void {
    if (this.#due !== undefined) this.#queue.addAfter(this.#options.node, delayMs);
  }

  start(): void {
    this.#queue.start();
    this.refresh();
  }

  /** Resolves when a write in progress is done. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /** What has to be written; undefined: nothing, or the Node is not known, without which the object would outlive it. */
  get #due(): SpeakerIdentitySpec | undefined {
    const { node: name, nodes, owner, identities, isOnNode, host, port } = this.#options;
    const node = nodes.views.get(name);
    if (node === undefined || owner.references === undefined) return undefined;
    const spec = ownIdentity({ node, isOnNode, links: host.links, port });
    return isWritten(spec, identities.views.get(name)) ? undefined : spec;
  }

  async #write(): Promise<void> {
    const { client, node, owner } = this.#options;
    const spec = this.#due;
    if (spec === undefined) return;
    const path = ownPath("speakeridentities", node);
    try {
      await client.request({ method: "PATCH", path, body: { spec }, contentType: patchTypes.merge });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#create({ name: node, ownerReferences: owner.references }, spec);
    }
  }

  async #create(metadata: object, spec: SpeakerIdentitySpec): Promise<void> {
    const body = { apiVersion: groupVersion, kind: "SpeakerIdentity", metadata, spec };
    try {
      await this.#options.client.request({ method: "POST", path: ownPath("speakeridentities"), body });
    } catch (error) {
      // Another client created it meanwhile. The watch brings it, and it is written again if it differs.
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
