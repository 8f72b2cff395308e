import { speakerIdentitySchema } from "../../src/api/speaker-identity.ts";
import { type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";

/** The speaker of a node as its SpeakerIdentity describes it, frozen. */
export interface Peer {
  readonly node: string;
  /** Where it receives heartbeats: at most one address of each family. Empty: it cannot be reached. */
  readonly addresses: readonly IpAddress[];
  /** The UDP port of these addresses. */
  readonly port: number;
  /** Hardware addresses of its interfaces, in lower case with colons. */
  readonly macs: readonly string[];
  /** The TCP port of the node's kubelet. */
  readonly kubeletPort: number;
}

/** All peers by the name of their node, the own node included. Always the newest that was received. */
export type PeerDirectory = ReadonlyMap<string, Peer>;

const parseIdentity = parseObject(speakerIdentitySchema);

/** What is kept of a SpeakerIdentity. Leaves out addresses that are not IP addresses: the definition in the cluster may be of another version. */
export function projectPeer(raw: unknown): Peer | InvalidObject {
  const parsed = parseIdentity(raw);
  if (!("spec" in parsed)) return parsed;
  const { addresses, port, macs, kubeletPort } = parsed.spec;
  const node = parsed.metadata.name;
  const known = addresses.flatMap((text) => parseAddress(text) ?? []);
  return Object.freeze({ node, addresses: known, port, macs, kubeletPort });
}

/** The node that has an interface with this MAC address, in lower case with colons. Looks at all nodes. */
export function nodeOfMac(peers: PeerDirectory, mac: string): string | undefined {
  for (const { node, macs } of peers.values()) if (macs.includes(mac)) return node;
  return undefined;
}
