import { z } from "zod";
import { maxNameLength } from "../../src/api/api.ts";

/** Files of another version are not read. */
const fileVersion = 1;
const maxOwners = 3;
const maxStakes = 20_000;
const maxPeers = 10_000;

const nodeName = z.string().min(1).max(maxNameLength);
const address = z.string().max(45);

const stakeSchema = z.object({
  /** Name of the VirtualIP. */
  name: z.string().min(1).max(maxNameLength),
  address,
  owners: z.array(nodeName).max(maxOwners),
  term: z.int().min(0),
  createdSeconds: z.int().min(0),
  /** Names of interfaces. */
  interfaces: z.array(z.string().min(1).max(15)).max(64),
  /** Nodes that have answered for it before, the last one first. */
  previous: z.array(nodeName).max(2).default([]),
});

const peerSchema = z.object({
  node: nodeName,
  addresses: z.array(address).max(2),
  port: z.int().min(1).max(65_535),
  macs: z.array(z.string().max(17)).max(64),
});

const fileSchema = z.object({
  version: z.literal(fileVersion),
  node: nodeName,
  stakes: z.array(stakeSchema).max(maxStakes),
  peers: z.array(peerSchema).max(maxPeers),
  /** The uid that identifies the cluster. */
  cluster: z.string().max(128),
  /** Keys of heartbeats in base64, the newest first. */
  keys: z.array(z.base64().length(44)).max(3),
});

/** A stake of which the kernel had the rules. */
export type LastStake = z.infer<typeof stakeSchema>;
export type LastPeer = z.infer<typeof peerSchema>;

/** What a speaker needs to continue after a restart when the API server does not answer. */
export interface LastStakes {
  readonly node: string;
  readonly stakes: readonly LastStake[];
  readonly peers: readonly LastPeer[];
  /** The uid that identifies the cluster. */
  readonly cluster: string;
  /** The keys of heartbeats, 32 bytes each, the newest first. */
  readonly keys: readonly Uint8Array[];
}

export function formatLastStakes({ node, stakes, peers, cluster, keys }: LastStakes): string {
  const texts = keys.map((key) => Buffer.from(key).toString("base64"));
  return JSON.stringify({
    version: fileVersion,
    node,
    stakes: stakes.slice(0, maxStakes),
    peers: peers.slice(0, maxPeers),
    cluster,
    keys: texts.slice(0, 3),
  });
}

/** Undefined for any other text, also for the file of another node. Never throws. */
export function parseLastStakes(text: string, node: string): LastStakes | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { success, data } = fileSchema.safeParse(raw);
  if (!success || data.node !== node) return undefined;
  const keys = data.keys.map((key) => Uint8Array.from(Buffer.from(key, "base64")));
  const { stakes, peers, cluster } = data;
  return { node, stakes, peers, cluster, keys: keys.filter(({ length }) => length === 32) };
}
