import { z } from "zod";
import { maxNameLength } from "../../src/api/api.ts";
import { defaultKubeletPort } from "../../src/api/speaker-identity.ts";
import { type Claim, maxUint8, maxUint32, maxUint48 } from "../../src/heartbeat/messages.ts";

/** Files of another version are not read. */
const fileVersion = 1;
const maxOwners = 3;
const maxStakes = 20_000;
const maxPeers = 10_000;
const maxFormer = 10_000;

const nodeName = z.string().min(1).max(maxNameLength);
const address = z.string().max(45);

/** Nodes that have answered for an address before, the last one first. */
const previousSchema = z.array(nodeName).max(2).default([]);

const stakeSchema = z.object({
  /** Name of the VirtualIP. */
  name: z.string().min(1).max(maxNameLength),
  address,
  owners: z.array(nodeName).max(maxOwners),
  term: z.int().min(0),
  createdSeconds: z.int().min(0),
  /** Names of interfaces. */
  interfaces: z.array(z.string().min(1).max(15)).max(64),
  previous: previousSchema,
});

const formerSchema = z.object({ address, previous: previousSchema });

const peerSchema = z.object({
  node: nodeName,
  addresses: z.array(address).max(2),
  port: z.int().min(1).max(65_535),
  macs: z.array(z.string().max(17)).max(64),
  // Not in the file of an earlier version.
  kubeletPort: z.int().min(1).max(65_535).default(defaultKubeletPort),
});

const claimSchema = z.object({
  address,
  createdSeconds: z.int().min(0).max(maxUint32),
  term: z.int().min(0).max(maxUint48),
  epoch: z.int().min(0).max(maxUint32),
  rank: z.int().min(0).max(maxUint8),
});

const fileSchema = z.object({
  version: z.literal(fileVersion),
  node: nodeName,
  stakes: z.array(stakeSchema).max(maxStakes),
  /** Earlier speakers did not keep them. */
  former: z.array(formerSchema).max(maxFormer).default([]),
  peers: z.array(peerSchema).max(maxPeers),
  /** The uid that identifies the cluster. */
  cluster: z.string().max(128),
  /** Keys of heartbeats in base64, the newest first. */
  keys: z.array(z.base64().length(44)).max(3),
  restart: z.object({ atMs: z.int(), claims: z.array(claimSchema).max(maxStakes) }).optional(),
});

/** A stake of which the kernel had the rules. */
export type LastStake = z.infer<typeof stakeSchema>;
/** An address that the node is no longer an owner of, and still knows connections to. */
export type LastFormer = z.infer<typeof formerSchema>;
export type LastPeer = z.infer<typeof peerSchema>;

/** What a speaker needs to continue after a restart, most of it only when the API server does not answer. */
export interface LastStakes {
  readonly node: string;
  readonly stakes: readonly LastStake[];
  /** The one that was longest ago comes first. */
  readonly former: readonly LastFormer[];
  readonly peers: readonly LastPeer[];
  /** The uid that identifies the cluster. */
  readonly cluster: string;
  /** The keys of heartbeats, 32 bytes each, the newest first. */
  readonly keys: readonly Uint8Array[];
  /** The speaker has ended, and said that it restarts: when, in milliseconds since 1970, and by which claims it announced addresses. */
  readonly restart?: { readonly atMs: number; readonly claims: ReadonlyMap<string, Claim> } | undefined;
}

/** The claims that a speaker which starts at `nowMs` uses again; none after `holdMs`, when other nodes have taken the addresses over. */
export function claimsToResume({ restart }: LastStakes, nowMs: number, holdMs: number): ReadonlyMap<string, Claim> {
  if (restart === undefined || nowMs < restart.atMs || nowMs > restart.atMs + holdMs) return new Map();
  return restart.claims;
}

export function formatLastStakes({ node, stakes, former, peers, cluster, keys, restart }: LastStakes): string {
  const texts = keys.map((key) => Buffer.from(key).toString("base64"));
  return JSON.stringify({
    version: fileVersion,
    node,
    stakes: stakes.slice(0, maxStakes),
    former: former.slice(-maxFormer),
    peers: peers.slice(0, maxPeers),
    cluster,
    keys: texts.slice(0, 3),
    ...(restart === undefined
      ? {}
      : {
          restart: {
            atMs: restart.atMs,
            claims: [...restart.claims].slice(0, maxStakes).map(([address, claim]) => ({ address, ...claim })),
          },
        }),
  });
}

/** Undefined for any other text, and for the file of another node. Never throws. */
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
  const { stakes, former, peers, cluster, restart } = data;
  const common = { node, stakes, former, peers, cluster, keys: keys.filter(({ length }) => length === 32) };
  if (restart === undefined) return common;
  const claims = new Map(restart.claims.map(({ address, ...claim }) => [address, claim]));
  return { ...common, restart: { atMs: restart.atMs, claims } };
}
