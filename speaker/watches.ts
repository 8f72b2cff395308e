import type { V1EndpointSlice, V1Node, V1Service } from "@kubernetes/client-node";
import { type VirtualIP, virtualIpSchema } from "../src/api/virtual-ip.ts";
import type { Clock, Random } from "../src/clock/clock.ts";
import { type KeySecretFault, type KeySecretView, keySecretName, readKeySecret } from "../src/heartbeat/key-secret.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import { parseObject } from "../src/kube/parse-object.ts";
import { collections, ownPath, secretPath } from "../src/kube/path.ts";
import { createReflector, type Reflector } from "../src/kube/reflector.ts";
import { InvalidObject } from "../src/kube/view-store.ts";
import type { Logger } from "../src/log/log.ts";
import { type EndpointSliceView, endpointSliceSelector, projectEndpointSlice } from "../src/model/endpoint-slice.ts";
import { type NodeView, projectNode } from "../src/model/node.ts";
import { projectService, type ServiceView } from "../src/model/service.ts";
import { type Peer, projectPeer } from "./peers/peer.ts";

/** What is kept of the objects of each collection. */
interface WatchedViews {
  readonly services: ServiceView;
  readonly slices: EndpointSliceView;
  readonly virtualIps: VirtualIP;
  /** Only the speaker's own node. */
  readonly nodes: NodeView;
  /** The SpeakerIdentities of all nodes. */
  readonly identities: Peer;
  /** The key of heartbeats: one Secret. */
  readonly secrets: KeySecretView;
}

export type WatchedResource = keyof WatchedViews;

/** The watches that the speaker works from. */
export type SpeakerWatches = { readonly [Resource in WatchedResource]: Reflector<WatchedViews[Resource]> };

/** The views of each collection at this moment. */
export type Watched = {
  readonly [Resource in WatchedResource]: { readonly views: ReadonlyMap<string, WatchedViews[Resource]> };
};

/** Receives every change of a watched collection. */
export interface WatchListener {
  /** An object was added, modified or deleted. `key`: `namespace/name`, or the name alone. */
  watchedChanged(resource: WatchedResource, key: string): void;
  /** The Secret with the key of heartbeats cannot be used; undefined: it can again, or was deleted. */
  keySecretInvalid(fault: KeySecretFault | undefined): void;
}

export interface SpeakerWatchesOptions {
  readonly client: ApiClient;
  /** Bellhop's own namespace. */
  readonly namespace: string;
  readonly node: string;
  readonly changes: WatchListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** When an API server is available again, all speakers of a cluster may have to list again, but not within the same second. */
const relistSpreadMs = 5_000;

/**
 * Creates reflectors; `run` starts them. Lists are read from the API server's cache, as by kube-proxy, because there is a speaker on every
 * node, and the watch soon delivers what a list lacks.
 */
export function createSpeakerWatches(options: SpeakerWatchesOptions): SpeakerWatches {
  const { client, namespace, node, changes, clock, random, log, metrics } = options;
  const common = {
    client,
    freshness: "cached",
    relistSpreadMs,
    // During an upgrade a newer version may write what this one cannot read: what it knows already is still forwarded and announced.
    keepsLastView: true,
    clock,
    random,
    log,
    metrics,
  } as const;
  return {
    services: createReflector({
      ...common,
      resource: "services",
      path: collections.services,
      query: { fieldSelector: "spec.type=LoadBalancer" },
      project: (raw) => projectService(raw as V1Service),
      onChange: (key) => changes.watchedChanged("services", key),
    }),
    slices: createReflector({
      ...common,
      resource: "endpointslices",
      path: collections.endpointSlices,
      query: { labelSelector: endpointSliceSelector },
      project: (raw) => projectEndpointSlice(raw as V1EndpointSlice),
      onChange: (key) => changes.watchedChanged("slices", key),
    }),
    virtualIps: createReflector({
      ...common,
      resource: "virtualips",
      path: ownPath("virtualips"),
      project: projectAnnounced,
      onInvalid: (key, fault) => {
        if (fault !== undefined) log.error({ object: key, reason: fault.message }, "cannot read a VirtualIP");
      },
      onChange: (key) => changes.watchedChanged("virtualIps", key),
    }),
    nodes: createReflector({
      ...common,
      resource: "nodes",
      path: collections.nodes,
      query: { fieldSelector: `metadata.name=${node}` },
      project: (raw) => projectNode(raw as V1Node),
      onChange: (key) => changes.watchedChanged("nodes", key),
    }),
    identities: createReflector({
      ...common,
      resource: "speakeridentities",
      path: ownPath("speakeridentities"),
      // Without the kind, as after an upgrade of the image alone, speakers do not hear each other, and everything else works.
      optional: true,
      project: projectPeer,
      onChange: (key) => changes.watchedChanged("identities", key),
    }),
    secrets: createReflector({
      ...common,
      resource: "secrets",
      path: secretPath(namespace),
      query: { fieldSelector: `metadata.name=${keySecretName}` },
      project: projectKeySecret,
      onInvalid: (_key, invalid, raw) => {
        const read = invalid === undefined ? undefined : readKeySecret(raw);
        changes.keySecretInvalid(read !== undefined && "fault" in read ? read : undefined);
      },
      onChange: (key) => changes.watchedChanged("secrets", key),
    }),
  };
}

/** What makes the Secret unusable names no value: it is logged. */
function projectKeySecret(raw: unknown): KeySecretView | InvalidObject {
  const read = readKeySecret(raw);
  return "fault" in read ? new InvalidObject(read.fault) : read;
}

const parseVirtualIp = parseObject(virtualIpSchema);

/** A node's own address is not announced: the node answers for it by itself, and kube-proxy forwards. */
function projectAnnounced(raw: unknown): VirtualIP | InvalidObject | undefined {
  const virtualIp = parseVirtualIp(raw);
  return "spec" in virtualIp && virtualIp.spec.node !== undefined ? undefined : virtualIp;
}
